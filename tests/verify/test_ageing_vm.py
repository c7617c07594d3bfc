"""Strict order without starvation: under a watchdog of 2.5 s instead of 5 s nothing is put out, and order is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.model.jobs import Group, Job, JobPlan, RunReading, RunSetup
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.repository import find_policy

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[2]
SECOND_NS = 10**9


def run(name: str, image: KernelImage, *, groups: int, jobs: int, hint_ns: tuple[int, ...]) -> RunReading:
    """*groups* of *jobs* each, all CPU-bound, all there at once; the policy must still be in charge at the end."""
    source = find_policy(ROOT, name)
    impatient = replace(source, text=source.text.replace(".timeout_ms\t= 5000", ".timeout_ms\t= 2500"))
    assert impatient.text != source.text
    built = Clang().build(impatient, (), image)
    assert isinstance(built, BuiltObject)
    plan = JobPlan(
        seed=1,
        cpus=2,
        groups=tuple(Group(arrival_us=1000 * at, parallel=(jobs,)) for at in range(groups)),
        jobs=tuple(Job(key=str(at), group=at // jobs, phase=0, work=60_000_000) for at in range(groups * jobs)),
    )
    setup = RunSetup(cgroup_per_group=True, nice=(0,) * len(plan.jobs), hint_ns=hint_ns, name_seed=1)
    with Qemu().boot(image, cpus=2) as guest:
        assert guest.attach(built.elf, deadline_s=20).outcome == "attached"
        reading = guest.run_jobs(plan, setup, deadline_s=60)
        assert guest.state().state == "enabled", guest.kernel_log()
    assert set(reading.exit_codes) == {0}
    return reading


def test_builds_end_in_order_of_arrival_and_none_starves(newest_kernel: KernelImage) -> None:
    reading = run("build-order", newest_kernel, groups=6, jobs=4, hint_ns=(0,) * 24)
    ends = [max(reading.end_us[at : at + 4]) for at in range(0, 24, 4)]
    # Two builds overlap, and a host that stops one of the two emulated CPUs for a while may swap neighbours.
    assert all(early < late for early, late in zip(ends, ends[2:], strict=False))
    assert ends[0] < 0.6 * ends[-1]  # fair sharing ends all of them at about the same time


def test_long_jobs_come_first_short_ones_in_order_and_none_starves(newest_kernel: KernelImage) -> None:
    hints = tuple(8 * SECOND_NS if at == 15 else SECOND_NS for at in range(16))
    reading = run("long-first", newest_kernel, groups=1, jobs=16, hint_ns=hints)
    assert reading.hints_accepted == 16
    # Submitted last and as long as the others, but called long: it ends among the first. Not by rank alone, as above.
    assert sorted(reading.end_us).index(reading.end_us[15]) <= 5
    assert median(reading.end_us[:5]) < 0.7 * median(reading.end_us[10:15])
