"""Cells of a suite in guests that a model plays: order, repeats, what breaks and what is lost, grounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.bench.programs import Installed
from schedops.bench.run import InCharge
from schedops.errors import InputError, Unavailable
from schedops.model.environment import Environment
from schedops.model.machine import flat_machine
from schedops.model.policy import Capabilities
from schedops.model.suite import SuiteCell
from schedops.model.workload import Workload
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import CellWork, Entrant
from schedops.pipeline.suite_guest import GuestHands, in_turn, of_this_environment
from schedops.ports import SimScheduler, World
from tests.bench.test_programs import REAL, said
from tests.fakes import real
from tests.fakes.guest import HOST_FACTS, IMAGE, Clock, Host, Machines, Progress, Script
from tests.fakes.workloads import BUILT, batch, policy

BATCH = replace(batch(), warmup_rounds=0)
EEVDF, OURS = (
    Entrant(label="eevdf", scheduler=SimScheduler("eevdf"), arm="eevdf"),
    Entrant(label="ours", scheduler=SimScheduler("ours"), arm="candidate"),
)
INFORMED = replace(EEVDF, label="informed", arm="informed")


def work(
    workload: Workload, *, seeds: int = 2, cold: bool = True, entrants: tuple[Entrant, ...] = (EEVDF, OURS)
) -> list[CellWork]:
    load = Load(workload=workload, machine=flat_machine(2), scale=1.0, cold=cold)
    return [
        CellWork(key=f"{workload.name} {seed} {one.label}", load=load, entrant=one, seed=seed)
        for seed in range(1, seeds + 1)
        for one in entrants
    ]


class Ran:
    def __init__(self, machines: object, cells: list[CellWork], *, fails: str = "", **capabilities: bool) -> None:
        self.cells: dict[str, SuiteCell] = {}
        self.grounds: dict[str, object] = {}
        self.progress = Progress()
        self.world = World(
            clock=Clock(), progress=self.progress, toolchain=None, machines=machines, kernels=None, host=Host()
        )  # type: ignore[arg-type]

        def install(workload: Workload) -> Installed:
            if fails:
                raise Unavailable("no-mirror", fails)
            return Installed(archive=Path("archive"), versions=("gzip 1.13",))

        hands = GuestHands(
            image=IMAGE,
            world=self.world,
            host=Host(),
            policies={"ours": InCharge(policy(capabilities=Capabilities(**capabilities)), BUILT)},
            install=install,
            grounds=self.grounds,
        )
        hands.run(cells, lambda cell: self.cells.update({cell.key: cell}))

    def ends(self) -> list[str]:
        return [one.end.verdict for one in self.cells.values()]

    def notes(self) -> list[str]:
        return [one.text for one in self.progress.events if one.kind == "note"]


def test_cells_of_a_workload_share_a_guest_and_jobs_are_those_of_the_seed() -> None:
    script = Script()
    found = Ran(Machines(script), work(BATCH))
    assert (script.boots, script.runs, found.ends()) == (1, 4, ["done"] * 4)
    assert {plan.seed for plan in script.plans} == {1, 2}
    assert len({setup.name_seed for setup in script.setups}) == 4
    assert {one.metric for one in found.cells["w 1 ours"].metrics} >= {"makespan_ms", "makespan_per_floor"}
    (ground,) = found.grounds.values()
    assert ground.environment.host.cpu_model == HOST_FACTS.cpu_model
    assert {one.ground for one in found.cells.values()} == set(found.grounds)
    assert ground.programs == ()


def test_everybody_is_first_in_turn() -> None:
    other = replace(OURS, label="other")
    orders = [in_turn(work(replace(BATCH, name=f"w{n}"), seeds=6, entrants=(EEVDF, OURS, other))) for n in range(8)]
    assert len({order[0].entrant.label for order in orders}) == 3
    for order in orders:
        labels = [one.entrant.label for one in order]
        assert [one.seed for one in order] == sorted(one.seed for one in order)
        assert all(len(set(labels[at : at + 3])) == 3 for at in range(0, 18, 3))
        for place in range(3):
            assert len(set(labels[place::3])) > 1


def test_warm_ups_do_not_count_and_hints_are_learnt_first() -> None:
    script = Script()
    cells = work(replace(BATCH, warmup_rounds=2), seeds=1, cold=False, entrants=(EEVDF, INFORMED, OURS))
    found = Ran(Machines(script), cells, hints=True)
    assert (len(found.cells), script.runs) == (3, 1 + 3 * 2 + 3)
    assert script.calls[0] == "run eevdf"
    assert [any(setup.hint_ns) for setup in script.setups].count(True) == 3
    assert [any(setup.nice) for setup in script.setups].count(True) == 3
    assert Ran(Machines(Script()), cells).ends() == ["done"] * 3
    cold = Script()
    Ran(Machines(cold), work(BATCH), hints=True)
    assert (cold.runs, any(any(setup.hint_ns) for setup in cold.setups)) == (4, False)


def test_a_run_that_is_not_valid_is_repeated_and_counted() -> None:
    found = Ran(Machines(Script(failing_in=frozenset({1}))), work(BATCH))
    repeated = [one for one in found.cells.values() if one.invalid]
    assert [one.invalid for one in repeated] == [("1 of 11 jobs failed, the first with exit code 3",)]
    assert found.ends() == ["done"] * 4
    found = Ran(Machines(Script(failing_in=frozenset({1, 2}))), work(BATCH))
    bad = [one for one in found.cells.values() if one.end.verdict == "invalid"]
    assert [(one.metrics, len(one.invalid)) for one in bad] == [((), 1)]
    assert sum("not counted" in note for note in found.notes()) == 2


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        (Script(dropped_in=frozenset(range(9))), "ejected"),
        (Script(outcome="load-failed"), "ejected"),
        (Script(gone_in=frozenset(range(9))), "unavailable"),
    ],
)
def test_what_a_policy_breaks_ends_its_cells(script: Script, verdict: str) -> None:
    if verdict == "unavailable":  # the guest is lost whoever runs
        found = Ran(Machines(script), work(BATCH))
        assert (found.ends(), script.boots) == (["unavailable"] * 4, 2)
        return
    found = Ran(Machines(script), work(BATCH))
    assert {key: one.end.verdict for key, one in found.cells.items()} == {
        "w 1 eevdf": "done",
        "w 2 eevdf": "done",
        "w 1 ours": verdict,
        "w 2 ours": verdict,
    }
    assert script.calls.count("attach") == 1


def test_a_policy_that_starves_jobs_is_late() -> None:
    first = in_turn(work(BATCH))[0].entrant.label == "ours"
    found = Ran(Machines(Script(failing_in=frozenset({0 if first else 1}), exit_code=137)), work(BATCH))
    assert sorted(found.ends()) == ["done", "done", "late", "late"]


def test_a_guest_that_is_lost_is_booted_again_and_a_policy_that_loses_it_twice_is_at_fault() -> None:
    script = Script(gone_in=frozenset({2}))
    found = Ran(Machines(script), work(BATCH))
    assert (script.boots, found.ends()) == (2, ["done"] * 4)
    script = Script(gone_in=frozenset({0, 2, 4, 6}))  # never twice in a row
    assert (Ran(Machines(script), work(BATCH)).ends(), script.boots) == (["done"] * 4, 5)
    attached = [at for at, one in enumerate(in_turn(work(BATCH))) if one.entrant.label == "ours"]
    script = Script(gone_in=frozenset({attached[0], attached[0] + 1}))
    found = Ran(Machines(script), work(BATCH))
    assert sorted(found.ends()) == ["done", "done", "fault", "fault"]
    assert "it goes on in another guest" in found.notes()[0]


def test_real_programs_are_prepared_once_and_checked_after_every_run() -> None:
    machines = real.Machines(reading=said)
    workload = replace(BATCH, real=REAL)
    found = Ran(machines, work(workload, cold=False), hints=True)
    assert machines.calls.count("boot") == machines.calls.count("make") == 1
    assert machines.calls.count("check") == 5  # one of them teaches
    assert {one.metric for one in found.cells["w 1 eevdf"].metrics} >= {"request_p99_us", "makespan_ms"}
    assert next(iter(found.grounds.values())).programs == ("gzip 1.13",)
    assert [any(job.hint_ns for job in plan.jobs) for plan in machines.plans].count(True) == 2


@pytest.mark.parametrize(("failing", "fails"), [("make 2", ""), ("clear", ""), ("check", ""), ("", "offline")])
def test_a_workload_that_cannot_be_run_says_why_and_the_next_goes_on(failing: str, fails: str) -> None:
    machines = real.Machines(reading=said, failing=failing)
    found = Ran(machines, work(replace(BATCH, real=REAL)), fails=fails)
    verdict = "invalid" if failing == "check" else "unavailable"
    assert found.ends() == [verdict] * 4
    messages = {one.end.message for one in found.cells.values()}
    assert len(messages) == 1
    assert ("checking failed: too little" if failing else fails) in messages.pop()
    two = [*work(replace(BATCH, name="bad", real=REAL)), *work(BATCH)]
    assert Ran(Machines(Script()), two, fails="offline").ends() == ["unavailable"] * 4 + ["done"] * 4


def test_cells_of_another_environment_are_run_again() -> None:
    found = Ran(Machines(Script()), work(BATCH))
    (ground,) = found.grounds.values()
    now: Environment = ground.environment
    assert of_this_environment(found.cells, found.grounds, now, found.world) == found.cells
    other = replace(now, host=replace(now.host, governor="powersave"))
    assert of_this_environment(found.cells, found.grounds, other, found.world) == {}
    assert "not comparable: host governor: performance and powersave" in found.notes()[-1]
    assert of_this_environment(found.cells, {}, now, found.world) == {}


def test_a_model_without_jobs_is_no_work_for_a_guest() -> None:
    with pytest.raises(InputError):
        Ran(Machines(Script()), work(replace(BATCH, batch=None, pipes=object())))
