from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.errors import InputError, Refused, Unavailable
from schedops.model.workload_real import RealJob, RealPrograms
from schedops.pipeline.real import RealPolicy, RealRun, RealSize, run_real
from schedops.ports import World
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.fakes.real import Machines, played
from tests.fakes.workloads import BUILT, batch

REAL = RealPrograms(
    packages=("gzip",),
    prepare=("make {cpus} {jobs}",),
    before=("clear",),
    jobs=(RealJob(name="short", command=("gzip", "{i}"), count=2), RealJob(name="long", command=("xz",), nice=5)),
    after=("check",),
)
SIZE = RealSize(cpus=2, scale=1, seed=3, runs=2)
POLICY = RealPolicy(name="ours", built=BUILT)


def run(machines: Machines, policy: RealPolicy | None = None, **size: object) -> tuple[RealRun, ...]:
    world = World(clock=Clock(), progress=Progress(), toolchain=None, machines=machines, kernels=None)  # type: ignore[arg-type]
    return run_real(batch(), REAL, Path("archive"), IMAGE, replace(SIZE, **size), world=world, policy=policy)


def test_arms_alternate_in_one_guest_that_is_prepared_once() -> None:
    machines = Machines()
    runs = run(machines, POLICY, warmups=1)
    assert machines.calls[:2] == ["boot", "make"]
    assert machines.calls[2:5] == ["clear", "eevdf", "check"]
    arms = [call for call in machines.calls if call in ("eevdf", "ours")]
    assert arms == ["eevdf", "ours", "eevdf", "ours", "ours", "eevdf"]
    assert [(one.arm, one.number) for one in runs] == [("eevdf", 0), ("ours", 0), ("ours", 1), ("eevdf", 1)]
    assert {one.metric: one.value for one in runs[0].metrics}["makespan_ms"] == 30
    assert len({plan.name_seed for plan in machines.plans}) == len(machines.plans)  # fresh names in every run


def test_cold_runs_have_a_guest_each() -> None:
    machines = Machines()
    run(machines, cold=True, warmups=3)
    assert machines.calls == ["boot", "make", "clear", "eevdf", "check"] * 2


def test_a_first_run_teaches_how_long_jobs_take() -> None:
    machines = Machines()
    policy = replace(POLICY, takes_hints=True)
    runs = run(machines, policy, hints=True, runs=1)
    assert [one.arm for one in runs] == ["eevdf", "informed", "ours"]
    taught, eevdf, informed, ours = machines.plans
    assert {job.hint_ns for plan in (taught, eevdf, informed) for job in plan.jobs} == {0}
    assert [job.nice for job in eevdf.jobs] == [0, 0, 5]
    assert [job.nice for job in informed.jobs] == [10, 10, 5]  # what the workload itself says stays
    assert [job.hint_ns for job in ours.jobs] == [4_000_000, 4_000_000, 20_000_000]
    run(other := Machines(), POLICY, hints=True, runs=1)
    assert {job.hint_ns for job in other.plans[-1].jobs} == {0}  # it does not use them


def test_a_run_that_did_not_do_its_work_has_no_metrics() -> None:
    runs = run(Machines(reading=lambda number, plan: replace(played(plan), exit_codes=(0, number, 0))))
    assert [bool(one.metrics) for one in runs] == [True, False]
    assert "short ended with 1: gzip 1" in runs[1].why_undone


@pytest.mark.parametrize(
    "machines", [Machines(reading=lambda _, plan: replace(played(plan), clean=False)), Machines(failing="check")]
)
def test_a_workload_that_never_does_its_work_is_no_measurement(machines: Machines) -> None:
    with pytest.raises(Unavailable) as error:
        run(machines)
    assert error.value.code == "never-done"


def test_a_policy_that_is_lost_is_refused() -> None:
    with pytest.raises(Refused, match="put out while it ran") as error:
        run(Machines(lost_in=1), POLICY)
    assert error.value.detail == "stalled"


def test_a_policy_that_is_called_as_another_arm_is_bad_input() -> None:
    with pytest.raises(InputError):
        run(Machines(), replace(POLICY, name="eevdf"))
