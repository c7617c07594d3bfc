"""What is known of a run before it, and what one teaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.bench.stage import load_of
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from schedops.model.workload import ExpectedSeconds
from schedops.pipeline.prepared import expected_s, prepared, taught
from schedops.ports import World
from tests.fakes.guest import IMAGE, Clock, Host, Machines, Progress, Script
from tests.fakes.workloads import batch


def test_seconds_of_emulated_cpus_say_nothing_of_others() -> None:
    known = replace(batch(), expected_seconds=ExpectedSeconds(emulated_2=12.0))
    emulated = Accelerator(name="tcg-multi", qemu_version="10.0", reason="no KVM")
    assert expected_s(known, emulated, scale=2) == 24
    assert expected_s(known, replace(emulated, name="kvm"), scale=1) is None
    assert expected_s(batch(), emulated, scale=1) is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_that_did_its_work_teaches(fails: bool) -> None:
    machines = Machines(Script(failing_in=frozenset({0} if fails else ())))
    world = World(clock=Clock(), progress=Progress(), toolchain=None, machines=machines, kernels=None, host=Host())  # type: ignore[arg-type]
    load = load_of(batch(), cpus=2, scale=1)
    with prepared(load, IMAGE, cpus=2, world=world) as guest:
        if fails:
            with pytest.raises(Unavailable, match="did not do its work under the default scheduler"):
                taught(load, guest, seed=5, world=world)
        else:
            hints = taught(load, guest, seed=5, world=world)
            assert [one.n for one in hints.hints] == [1] * 11
            assert hints.hints[0].measured == "2026-11-21"
