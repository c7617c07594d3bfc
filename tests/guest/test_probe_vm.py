"""The probes on the scheduler of a real kernel, held against what the jobs' own accounting says."""

from __future__ import annotations

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.probe_object import probe_object
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import Unavailable
from schedops.model.jobs import Group, Job, JobPlan, RunSetup
from schedops.ports import KernelImage

pytestmark = pytest.mark.vm

GROUPS = (Group(arrival_us=0, parallel=(4,)),)
JOBS = tuple(Job(key=str(n), group=0, phase=0, work=8_000_000) for n in range(8))
PLAN = JobPlan(seed=1, cpus=2, groups=GROUPS, jobs=JOBS)
SETUP = RunSetup(cgroup_per_group=True, nice=(0,) * 8, hint_ns=(0,) * 8, name_seed=5)


def test_the_probes_count_what_the_jobs_count_themselves(kernels: tuple[KernelImage, ...]) -> None:
    for image in kernels:
        elf = probe_object(Clang(), image)
        with Qemu().boot(image, cpus=2) as guest:
            guest.probe_start(elf, slot_ns=20_000_000)
            run = guest.run_jobs(PLAN, SETUP, deadline_s=60)
            found = guest.probe_stop()
        jobs = [one for one in found.classes if one.exits == 1 and one.forks == 0 and one.name != "init"]
        manager = next(one for one in found.classes if one.name == "init")
        assert len(jobs) == len(JOBS), image.kernel.name
        # A job has another name until it has given itself its own, and a busy host stops it where it likes.
        assert 0.7 < sum(one.run_ns for one in jobs) / (sum(run.cpu_us) * 1000) < 1.1
        assert manager.forks == len(JOBS)
        assert found.lost == 0
        # Every stint is in one slot or spread over several.
        together = sum(one.run_ns for one in found.classes)
        assert sum(slot.run_ns for slot in found.slots) == pytest.approx(together, rel=0.01)
        waited = sum(sum(count for _, count in one.latency) for one in found.classes)
        assert 0 < waited <= sum(one.switches for one in found.classes)


def test_what_is_no_probe_is_refused_with_the_reason(guest: GuestSession) -> None:
    with pytest.raises(Unavailable) as refused:
        guest.probe_start(b"no object", slot_ns=20_000_000)
    assert refused.value.code == "probes-refused"
    assert refused.value.detail
    assert guest.state().state == "disabled"  # the guest is well
