"""Comparisons of real programs: the same rounds, arms and repeats as with jobs, through to gate and replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.bench import stage
from schedops.bench.programs import Installed
from schedops.errors import InputError
from schedops.gate.decide import measured
from schedops.model.jobs import Hint, Hints
from schedops.model.measurements import Measurements
from schedops.model.policy import Capabilities
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.verdict import Verdict
from schedops.model.workload import Objective
from schedops.model.workload_real import RealJob, RealPrograms, RealRead
from schedops.schema.canonical import canonical_bytes
from schedops.schema.decode import decode, encode
from schedops.workloads.real import program_plan
from schedops.workloads.real_setup import key_of_program
from tests.fakes.guest import IMAGE, Clock, Host, Progress
from tests.fakes.real import Machines, played
from tests.fakes.workloads import BUILT, batch, policy

REAL = RealPrograms(
    packages=("gzip",),
    prepare=("make {cpus}",),
    before=("clear",),
    jobs=(
        RealJob(name="short", command=("gzip", "{i}"), count=2),
        RealJob(name="asked", command=("nice-xz",), nice=5),
        RealJob(name="long", command=("xz",), expect="done"),
    ),
    reads=(RealRead(metric="request_p99_us", job="long", pattern="p99 ([0-9]+)"),),
    after=("check",),
)
FASTER = Objective(metric="makespan_ms", unit="ms", direction="lower", min_effect=0.05)
WORKLOAD = replace(batch(objectives=(FASTER,)), warmup_rounds=1, real=REAL)
KNOWN = Hints(
    workload="w",
    hints=tuple(
        Hint(key=key_of_program(job), cpu_us=cpu_us, n=1, spread=None, measured="2026-11-21")
        for job, cpu_us in zip(program_plan(REAL, cpus=2, scale=1, name_seed=0).jobs, (10, 10, 10, 90_000), strict=True)
    ),
)


def said(number: int, plan: ProgramPlan, *, faster: float = 1.0) -> ProgramReading:
    end_us = tuple(round(end * faster * (1 + number % 7 / 500)) for end in played(plan).end_us)
    return replace(played(plan), end_us=end_us, outputs=("gzip's own words", "", "", "done, p99 70"))


def compared(machines: Machines, *, rounds: int = 6, **capabilities: bool) -> Measurements:
    machines.reading = machines.reading if machines.reading(0, PLAN).outputs[-1] else said
    return stage.run(
        WORKLOAD,
        policy(capabilities=Capabilities(**capabilities)),
        BUILT,
        KNOWN,
        IMAGE,
        cpus=2,
        looks=(rounds,),
        seed=10,
        scale=1.0,
        machines=machines,
        clock=Clock(),
        progress=Progress(),
        host=Host(),
        installed=Installed(archive=Path("archive"), versions=("gzip 1.13",)),
    )


PLAN = program_plan(REAL, cpus=2, scale=1, name_seed=0)


def test_every_arm_runs_the_same_programs_in_one_guest_that_is_prepared_once() -> None:
    machines = Machines()
    found = compared(machines, rounds=2, hints=True)
    assert machines.calls.count("boot") == machines.calls.count("make") == 1
    assert machines.calls[2:5] == ["clear", "eevdf", "check"]
    assert machines.calls.count("clear") == machines.calls.count("check") == len(machines.plans) == 9
    assert [one.arm for one in found.samples if one.before.ops == "ours"] == ["candidate"] * 2
    assert all(one.valid for one in found.samples), found.samples
    assert len({plan.name_seed for plan in machines.plans}) == 9
    assert {tuple(job.argv for job in plan.jobs) for plan in machines.plans} == {tuple(job.argv for job in PLAN.jobs)}


def test_what_history_knows_becomes_hints_or_nice_values() -> None:
    for takes in (True, False):
        found = compared(Machines(), rounds=1, hints=takes)
        setups = {one.arm: (one.setup.nice, one.setup.hint_ns) for one in found.samples}
        assert setups["eevdf"] == ((0, 0, 5, 0), (0, 0, 0, 0))
        assert setups["informed"] == ((10, 10, 5, 0), (0, 0, 0, 0))  # what the workload itself says stays
        assert setups["candidate"][0] == (0, 0, 5, 0)
        assert setups["candidate"][1] == ((10_000, 10_000, 10_000, 90_000_000) if takes else (0, 0, 0, 0))


def test_the_document_has_what_its_metrics_were_made_of() -> None:
    found = compared(Machines(), rounds=1)
    assert (found.programs.plan, found.programs.versions) == (PLAN, ("gzip 1.13",))
    assert [one.plan for one in found.rounds] == [None]
    sample = found.samples[0]
    assert (sample.reading, sample.programs.outputs) == (None, ("", "", "", "done, p99 70"))
    assert {one.metric: one.value for one in sample.metrics}["request_p99_us"] == 70
    again = decode(Measurements, encode(found))
    assert canonical_bytes(again) == canonical_bytes(found)


def test_a_run_that_did_not_do_its_work_is_kept_and_repeated_once() -> None:
    def lazy(number: int, plan: ProgramPlan) -> ProgramReading:
        reading = said(number, plan)
        return replace(reading, outputs=("", "", "", "p99 70")) if number == 4 else reading

    found = compared(Machines(reading=lazy), rounds=2)
    bad = [one for one in found.samples if not one.valid]
    assert [one.why_invalid for one in bad] == ["long did not say that it had done its work (done): p99 70"]
    assert (len(found.samples), bad[0].metrics) == (7, ())


def test_work_that_was_not_done_is_seen_after_the_run() -> None:
    found = compared(Machines(failing="check"), rounds=1)
    assert {one.why_invalid for one in found.samples} == {"checking failed: too little"}


@pytest.mark.parametrize(("faster", "verdict"), [(0.8, Verdict.PASS), (1.2, Verdict.FAIL)])
def test_the_gate_judges_them_as_it_judges_jobs(faster: float, verdict: Verdict) -> None:
    machines = Machines()
    machines.reading = lambda number, plan: said(number, plan, faster=faster if machines.now.ops else 1.0)
    found = compared(machines, rounds=8)
    decision = measured(WORKLOAD, "ours", found)
    assert decision.verdict is verdict, decision.summary
    again = measured(WORKLOAD, "ours", decode(Measurements, encode(found)))
    assert canonical_bytes(again) == canonical_bytes(decision)


def test_programs_of_a_model_without_any_are_bad_input() -> None:
    installed = Installed(archive=Path("archive"), versions=())
    with pytest.raises(InputError) as error:
        stage.load_of(batch(), cpus=2, scale=1, installed=installed)
    assert error.value.code == "no-programs"
    with pytest.raises(InputError) as error:
        stage.load_of(replace(WORKLOAD, batch=None, pipes=object()), cpus=2, scale=1)
    assert error.value.code == "simulator-only"
