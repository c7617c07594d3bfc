"""The guest's player, compiled as a program of this host's and played here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.adapters.vm import play_codec, wire
from schedops.model.guest import PlayReading
from schedops.model.machine import flat_machine
from schedops.model.simulation import Histogram, Op, SimPlan, Sync, SyncKind, bucket_bounds
from schedops.ports import SimScheduler
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import planned
from tests.adapters.sim.test_workloads import CLASSES, SMALL
from tests.guest.plans import (
    MS,
    US,
    crowd,
    drawing,
    everything,
    handing_over,
    locking,
    looped,
    messages,
    plan_of,
    step,
    waiting_for_events,
)
from tests.sim.programs.kinds import task, tasks

SOURCES = Path(play_codec.__file__).parents[2] / "guest"
HOST = Path(__file__).parents[1] / "data" / "player" / "host.c"
CPUS = os.cpu_count() or 1
Play = Callable[..., PlayReading]


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("clang-19")
    if compiler is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("player") / "player"
    units = [*sorted(SOURCES.glob("player*.c")), *(SOURCES / f"{name}.c" for name in ("spin", "job", "util"))]
    units.remove(SOURCES / "player_cgroup.c")
    flags = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-I", str(SOURCES))
    subprocess.run([compiler, *flags, "-o", program, HOST, *units], check=True)
    return program


@pytest.fixture
def play(player: Path) -> Play:
    def played(plan: SimPlan, *, deadline_ms: int = 20_000, enabled: int = 0) -> PlayReading:
        request = play_codec.play_request(plan, cpus=CPUS, name_seed=5)
        command = [player, str(deadline_ms), str(enabled)]
        done = subprocess.run(command, input=request, capture_output=True, timeout=60, check=True)
        return play_codec.play_reading(wire.parse_body(done.stdout), plan, cpus=CPUS)

    return played


def count(histogram: Histogram, *, least_ns: int = 0) -> int:
    return sum(times for bucket, times in histogram.counts if bucket_bounds(bucket)[1] > least_ns)


def done(reading: PlayReading) -> bool:
    return reading.result.end.verdict == "done" and all(task.completion_ns >= 0 for task in reading.result.tasks)


def test_tokens_are_handed_over(play: Play) -> None:
    seen = play(handing_over(50))
    assert done(seen)
    assert seen.clean
    for one, label in zip(seen.result.tasks, seen.result.labels, strict=True):
        assert 0 <= one.arrival_ns <= one.first_run_ns < one.completion_ns <= seen.wall_ns
        assert one.wakeups == count(label.wakeup) <= 51
        assert 50 * 20 * US * 0.5 < one.cpu_ns < seen.wall_ns
    # One of the two has nothing to do until the other one gives it the token.
    assert sum(task.wakeups for task in seen.result.tasks) > 50


@pytest.mark.parametrize("free", [True, False])
def test_a_lock_is_held_by_one_task_at_a_time(play: Play, free: bool) -> None:
    seen = play(locking(10, free=free))
    assert done(seen)
    assert seen.wall_ns > 4 * 10 * 100 * US * 0.5  # what is done inside is done one after the other


def test_messages_come_with_their_times(play: Play) -> None:
    seen = play(messages(100, capacity=4))
    assert done(seen)
    assert count(seen.result.labels[1].request) == 100
    assert count(seen.result.labels[0].request) == 0


def test_events_resume_who_waits_with_its_lock(play: Play) -> None:
    assert done(play(waiting_for_events(20)))


def test_everything_else(play: Play) -> None:
    seen = play(everything())
    assert done(seen)
    clock, skips = seen.result.tasks[4:]
    assert clock.arrival_ns >= 3 * MS
    assert clock.completion_ns - clock.arrival_ns >= 5 * 2 * MS
    assert count(seen.result.labels[1].request) == 5
    assert skips.completion_ns - skips.first_run_ns >= 3 * MS
    assert all(task.arrival_ns > seen.result.tasks[0].first_run_ns for task in seen.result.tasks[1:4])


def test_draws_are_those_of_the_simulator(play: Play, sim_modules: Path) -> None:
    plan = drawing(12)
    simulated = WasmSimulator(sim_modules).run(plan, flat_machine(2), SimScheduler("eevdf"), trace=False)
    seen = play(plan)
    long = [count(label.request, least_ns=30 * MS) for label in simulated.labels]
    assert len(set(long)) > 1  # else the tasks might all draw the same
    assert [count(label.request, least_ns=30 * MS) for label in seen.result.labels] == long
    assert all(task.cpu_ns > 0.5 * other.cpu_ns for task, other in zip(seen.result.tasks, simulated.tasks, strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_small_workloads_of_every_kind(play: Play, name: str) -> None:
    run = planned(SMALL[name], machine=flat_machine(1), seed=1)
    seen = play(run.plan)
    assert done(seen)
    assert metrics_of_result(run, seen.result)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(classes=CLASSES)
def test_any_tasks_come_to_their_end(play: Play, classes: list) -> None:
    made = [
        task(f"c{at}", *(word for round_ in rounds for word in round_), tasks=count, loop=loop, start_ms=float(start))
        for at, (rounds, count, loop, start) in enumerate(classes)
    ]
    run = planned(tasks(*made, task("leaf", "run 60", tasks=0)), machine=flat_machine(1), seed=1)
    assert done(play(run.plan))


def test_the_time_is_up(play: Play) -> None:
    endless = plan_of([looped((step(Op.RUN, 100 * US),), 0), (step(Op.SLEEP, 3600 * 1000 * MS),)], end_ns=100 * MS)
    seen = play(endless)
    assert (seen.result.end.verdict, seen.clean) == ("done", True)
    assert [task.completion_ns for task in seen.result.tasks] == [-1, -1]
    assert seen.wall_ns >= 100 * MS
    worked, slept = seen.result.tasks
    assert worked.cpu_ns > 10 * slept.cpu_ns > 0
    assert slept.switches >= 1


def test_a_run_with_an_end_lasts_until_then(play: Play) -> None:
    assert play(plan_of([(step(Op.RUN, US),)], end_ns=60 * MS)).result.end_ns >= 60 * MS


def test_nobody_can_go_on(play: Play) -> None:
    waits = plan_of([(step(Op.WAIT, 0),)] * 2, (Sync(kind=SyncKind.SEMAPHORE),))
    assert play(waits).result.end.verdict == "stuck"
    never = plan_of([(step(Op.RUN, US),)] * 2)
    unborn = replace(never, tasks=(never.tasks[0], replace(never.tasks[1], arrival_ns=-1)))
    seen = play(unborn)
    assert (seen.result.end.verdict, seen.result.tasks[1].arrival_ns) == ("stuck", -1)


def test_the_deadline_comes_first(play: Play) -> None:
    seen = play(plan_of([(step(Op.SLEEP, 3600 * 1000 * MS),)]), deadline_ms=400)
    assert (seen.result.end.verdict, seen.clean) == ("late", True)


@pytest.mark.parametrize("plan", [plan_of([(step(Op.RUN, US),)]), plan_of([(step(Op.RUN, US),)], end_ns=30 * MS)])
def test_a_policy_that_is_lost_at_the_very_end_was_not_there(play: Play, plan: SimPlan) -> None:
    """It is found before the start and at the first look, and no more when all is over."""
    assert play(plan, enabled=2).result.end.verdict == "ejected"
    went_on = play(replace(plan, go_on=True), enabled=2).result
    assert went_on.end.verdict == "ejected"
    assert 0 <= went_on.ejected_ns <= went_on.end_ns
    assert play(plan, enabled=1000).result.end.verdict == "done"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ((step(Op.UNLOCK, 0),), "task 0 releases a lock that it does not hold"),
        ((step(Op.FORK, 1), step(Op.FORK, 1)), "task 1 is forked, and is there already"),
        ((step(Op.JUMP, 0),), "the program of task 0 goes on without time going on"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(play: Play, program: tuple, words: str) -> None:
    plan = plan_of([program, (step(Op.RUN, US),)], (Sync(kind=SyncKind.LOCK),))
    plan = replace(plan, tasks=(plan.tasks[0], replace(plan.tasks[1], arrival_ns=-1)))
    end = play(plan).result.end
    assert (end.verdict, end.message) == ("plan-error", words)


def test_a_crowd(play: Play) -> None:
    seen = play(crowd(300))
    assert done(seen)
    assert sum(task.wakeups for task in seen.result.tasks) > 300


def test_nonsense_is_no_plan(player: Path) -> None:
    good = play_codec.play_request(handing_over(1), cpus=CPUS, name_seed=5)
    for bad in (b"", good[:-8], good + bytes(8), good[:64], b"\xff" * 4096):
        refused = subprocess.run([player, "100", "0"], input=bad, capture_output=True, timeout=20, check=False)
        assert refused.returncode == 2
