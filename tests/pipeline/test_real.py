from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.bench.run import InCharge
from schedops.errors import GuestLost, InputError, Refused, SchedopsError, Unavailable
from schedops.model.jobs import Hint, Hints
from schedops.model.policy import Capabilities
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading
from schedops.model.workload_real import RealJob, RealPrograms
from schedops.pipeline.real import RealRun, RealSize, run_real
from schedops.pipeline.real_hints import table_lines
from schedops.ports import World
from schedops.workloads.learn.table import table_bytes
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.fakes.real import Machines, played
from tests.fakes.workloads import BUILT, batch, policy

REAL = RealPrograms(
    packages=("gzip",),
    prepare=("make {cpus} {jobs}",),
    before=("clear",),
    jobs=(RealJob(name="short", command=("gzip", "{i}"), count=2), RealJob(name="long", command=("xz",), nice=5)),
    after=("check",),
)
SIZE = RealSize(cpus=2, scale=1, seed=3, runs=2)


def ours(name: str = "ours", **capabilities: bool) -> InCharge:
    return InCharge(policy(name, capabilities=Capabilities(**capabilities)), BUILT)


POLICY = ours()


def run(machines: Machines, policy: InCharge | None = None, **size: object) -> tuple[RealRun, ...]:
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
    runs = run(machines, ours(hints=True), hints=True, runs=1)
    assert [one.arm for one in runs] == ["eevdf", "informed", "ours"]
    taught, eevdf, informed, candidate = machines.plans
    assert {job.hint_ns for plan in (taught, eevdf, informed) for job in plan.jobs} == {0}
    assert [job.nice for job in eevdf.jobs] == [0, 0, 5]
    assert [job.nice for job in informed.jobs] == [10, 10, 5]  # what the workload itself says stays
    assert [job.hint_ns for job in candidate.jobs] == [4_000_000, 4_000_000, 20_000_000]
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
    assert error.value.detail == "after the run the policy was disabled; the kernel log does not say why"


def hangs(numbers: set[int], **how: bool) -> Machines:
    """Guests that are lost in these of all the runs that are begun."""

    def read(number: int, plan: ProgramPlan) -> ProgramReading:
        if number in numbers:
            raise GuestLost("no answer", **{"attached": True, **how})  # type: ignore[arg-type]
        return played(plan)

    return Machines(reading=read)


@pytest.mark.parametrize("cold", [False, True])
def test_a_run_whose_guest_is_lost_is_begun_once_more(*, cold: bool) -> None:
    runs = run(machines := hangs({1, 4}), POLICY, cold=cold)
    assert [(one.arm, one.number) for one in runs] == [("eevdf", 0), ("ours", 0), ("ours", 1), ("eevdf", 1)]
    assert not any(one.why_undone for one in runs)
    assert machines.calls.count("boot") == (6 if cold else 3)
    assert len({plan.name_seed for plan in machines.plans}) == 6


@pytest.mark.parametrize(
    ("how", "error", "code"),
    [
        ({}, Refused, "policy-hangs-guest"),
        ({"attached": False}, GuestLost, "vm-lost"),
        ({"known_emulator_fault": True}, GuestLost, "vm-lost"),
    ],
)
def test_a_run_whose_guest_is_lost_twice(how: dict[str, bool], error: type[SchedopsError], code: str) -> None:
    with pytest.raises(error) as refused:
        run(hangs({1, 2}, **how), POLICY)
    assert refused.value.code == code


def test_teaching_is_begun_once_more_too() -> None:
    runs = run(machines := hangs({0}, attached=False), ours(hints=True), hints=True, runs=1)
    assert [one.arm for one in runs] == ["eevdf", "informed", "ours"]
    assert machines.calls.count("boot") == 2


def test_a_policy_that_is_called_as_another_arm_is_bad_input() -> None:
    with pytest.raises(InputError):
        run(Machines(), ours("eevdf"))


def builds(number: int, plan: ProgramPlan) -> ProgramReading:
    """A build that its launcher takes notes of, as far as somebody reads them."""
    said = tuple(LOG[place(job) :][:1500] if job.argv[0] == "sh" else "" for job in plan.jobs)
    return replace(played(plan), outputs=said)


def place(job: ProgramJob) -> int:
    return int(re.findall(r"tail -c \+([0-9]+) .schedops/hints.log", job.argv[-1])[0]) - 1


LOG = "schedops-hint-log 1\n" + "".join(f"{number:016x} {number + 1} 9 0 1795000000\n" for number in range(600))


def test_what_a_build_s_compilers_take_is_learnt_from_their_launcher() -> None:
    machines = Machines(reading=builds)
    build = RealJob(name="make", command=("make", "CC={launcher}tcc"), fixed=True, parallel=True)
    told = Progress()
    world = World(clock=Clock(), progress=told, toolchain=None, machines=machines, kernels=None)  # type: ignore[arg-type]
    size = replace(SIZE, hints=True, runs=1)
    real = replace(REAL, jobs=(build,))
    for takes in (False, True):
        machines.plans.clear()
        asked = ours(hints=True, group_hints=takes)
        runs = run_real(batch(), real, Path("archive"), IMAGE, size, world=world, policy=asked)
        assert [one.arm for one in runs] == ["eevdf", "informed", "ours cold", "ours"]
        made = [plan for plan in machines.plans if plan.jobs[0].argv[0] == "make"]
        assert [plan.jobs[0].argv[1].partition("=")[2] for plan in made] == [
            "schedops-hint tcc",
            "tcc",  # nobody has a launcher without schedops
            "schedops-hint --nice 10 tcc",
            "schedops-hint tcc",
            "schedops-hint tcc",
        ]
        assert any("600 commands are known, 0 to 1 ms" in event.text for event in told.events)
        # What the whole build takes is known to whoever asks for that only.
        assert [plan.jobs[0].hint_ns for plan in made] == [0, 0, 0, 0, 20_000_000 if takes else 0]


def test_a_table_is_written_by_a_shell_byte_by_byte(tmp_path: Path) -> None:
    hints = tuple(Hint(key=f"{n:016x}", cpu_us=n * 7919, n=1, spread=0, measured="2026-11-21") for n in range(2000))
    known = Hints(workload="w", hints=hints)
    for line in table_lines(known):
        assert len(line) < 64 << 10
        subprocess.run(["dash", "-e", "-c", line], cwd=tmp_path, check=True)
    assert (tmp_path / ".schedops/hints.table").read_bytes() == table_bytes(known)
    (line,) = table_lines(None)
    subprocess.run(["dash", "-e", "-c", line], cwd=tmp_path, check=True)
    assert list((tmp_path / ".schedops").iterdir()) == []
