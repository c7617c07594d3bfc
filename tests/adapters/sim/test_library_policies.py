"""What policies of the library promise, on the simulator with their own code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import FrequencyRamp, IdleState, flat_machine
from schedops.model.policy import ParamValue
from schedops.model.simulation import Op, SimCgroup, SimPlan, SimResult, SimTask, SimVerdict, Sync, SyncKind
from schedops.ports import SimScheduler
from schedops.repository.library import load_policies
from tests.adapters.sim.conftest import MS, ROOT, run, step

LIBRARY = {one.policy.name: one for one in load_policies(ROOT)}


def of_library(name: str, **params: int) -> SimScheduler:
    values = tuple(ParamValue(name=key, value=value) for key, value in params.items())
    return SimScheduler(name=name, source=LIBRARY[name], params=values)


def done(simulator: WasmSimulator, plan: SimPlan, scheduler: SimScheduler, cpus: int) -> SimResult:
    result = run(simulator, plan, scheduler, flat_machine(cpus))
    assert result.end.verdict == SimVerdict.DONE, result.end
    return result


def two_builds(*hints_ms: int) -> SimPlan:
    """A build of 8 x 200 ms, and one of 4 x 50 ms that comes 20 ms later; their first processes may have hints."""
    long, short = ((step(Op.RUN, ms * MS),) for ms in (200, 50))
    first, second = hints_ms or (0, 0)
    tasks = tuple(SimTask(name=f"long-{at}", program=0, cgroup=1) for at in range(8))
    late = tuple(SimTask(name=f"short-{at}", program=1, cgroup=2, arrival_ns=20 * MS) for at in range(4))
    tasks = (replace(tasks[0], hint_ns=first * MS), *tasks[1:])
    late = (replace(late[0], hint_ns=second * MS), *late[1:])
    cgroups = (SimCgroup(name="/", parent=-1), SimCgroup(name="one"), SimCgroup(name="two"))
    return SimPlan(seed=1, programs=(long, short), cgroups=cgroups, tasks=tasks + late)


def build_ends(result: SimResult) -> tuple[float, float]:
    ends = [task.completion_ns / MS for task in result.tasks]
    return max(ends[:8]), max(ends[8:])


def test_build_order_ends_the_first_build_first_when_nobody_knows(simulator: WasmSimulator) -> None:
    by_arrival = of_library("build-order", remaining_first=0)
    cold, told, without = (
        build_ends(done(simulator, plan, scheduler, 2))
        for plan, scheduler in (
            (two_builds(), of_library("build-order")),
            (two_builds(1600, 200), by_arrival),
            (two_builds(), by_arrival),
        )
    )
    assert cold == without
    for big, small in (cold, told):
        assert big < 900 < small


def test_build_order_ends_the_small_build_first_when_it_knows(simulator: WasmSimulator) -> None:
    big, small = build_ends(done(simulator, two_builds(1600, 200), of_library("build-order"), 2))
    assert small < 200
    assert big < 950


def test_a_small_build_does_not_pass_one_that_has_less_left(simulator: WasmSimulator) -> None:
    big, small = build_ends(done(simulator, two_builds(210, 200), of_library("build-order"), 2))
    assert big < 900 < small


def test_without_hints_long_first_lets_computing_tasks_go_on(simulator: WasmSimulator) -> None:
    plan = SimPlan(
        seed=1,
        programs=((step(Op.RUN, 60 * MS),),),
        tasks=tuple(SimTask(name=f"job-{at}", program=0) for at in range(10)),
    )
    mean_ms = {
        turn: sum(
            task.completion_ns for task in done(simulator, plan, of_library("long-first", plain_turn_ms=turn), 2).tasks
        )
        / 10
        / MS
        for turn in (0, 40, 80)
    }
    assert mean_ms[80] < 220 < mean_ms[40] < 280 < mean_ms[0]


@pytest.mark.parametrize("nice", [0, -20])
def test_turns_of_long_first_make_nobody_wait_long(simulator: WasmSimulator, nice: int) -> None:
    """One that wakes up gets a CPU soon; hogs beside a very heavy one get theirs as without turns."""
    hog, heavy = ((step(Op.RUN, 5000 * MS),), (step(Op.NICE, nice), step(Op.RUN, 5000 * MS)))
    sleeper = (step(Op.SLEEP, 10 * MS), step(Op.RUN, MS // 10), step(Op.LOOP, 0))
    names = ("hog", "hog", "heavy", "sleeper")
    tasks = tuple(
        SimTask(name=name, program=("hog", "heavy", "sleeper").index(name), label=int(name == "sleeper"))
        for name in names
    )
    plan = SimPlan(seed=1, end_ns=4000 * MS, programs=(hog, heavy, sleeper), labels=("hog", "sleeper"), tasks=tasks)
    waits = {
        turn: [
            task.max_wait_ns / MS
            for task in done(simulator, plan, of_library("long-first", plain_turn_ms=turn), 1).tasks
        ]
        for turn in (0, 40)
    }
    assert waits[40][3] <= waits[0][3] + 1
    assert max(waits[40][:3]) <= max(waits[0][:3]) + 25


def test_warm_cores_keeps_a_chain_of_short_processes_on_a_warm_cpu(simulator: WasmSimulator) -> None:
    """Whoever spreads the chain over cold CPUs needs longer, by more than a quarter here."""
    machine = replace(
        flat_machine(8),
        idle_states=(IdleState(after_ns=0, exit_ns=1_000), IdleState(after_ns=600_000, exit_ns=170_000)),
        frequency=FrequencyRamp(floor=213, ramp_ns=20 * MS, decay_ns=20 * MS),
    )
    child = (step(Op.RUN, 5 * MS), step(Op.POST, 0, 1))
    forks = tuple(
        one for at in range(40) for one in (step(Op.RUN, MS // 10), step(Op.FORK, 1 + at, 1), step(Op.WAIT, 0, 1))
    )
    tasks = (SimTask(name="make", program=0), *(SimTask(name="cc", program=1, arrival_ns=-1) for _ in range(40)))
    plan = SimPlan(seed=1, programs=(forks, child), syncs=(Sync(kind=SyncKind.SEMAPHORE),), tasks=tasks)
    took_ms = {}
    for name in ("eevdf", "weighted-vtime", "warm-cores"):
        scheduler = of_library(name) if name in LIBRARY else SimScheduler(name)
        result = run(simulator, plan, scheduler, machine)
        assert result.end.verdict == SimVerdict.DONE
        took_ms[name] = result.tasks[0].completion_ns / MS
    assert 204 <= took_ms["warm-cores"] < 240
    assert min(took_ms["eevdf"], took_ms["weighted-vtime"]) > 1.25 * took_ms["warm-cores"]


def test_warm_cores_leaves_no_cpu_idle_while_a_task_waits(simulator: WasmSimulator) -> None:
    plan = SimPlan(
        seed=1,
        programs=((step(Op.FORK, 1, 3), step(Op.RUN, 20 * MS)), (step(Op.RUN, 20 * MS),)),
        tasks=(SimTask(name="make", program=0), *(SimTask(name="cc", program=1, arrival_ns=-1) for _ in range(3))),
    )
    result = done(simulator, plan, of_library("warm-cores"), 4)
    assert max(task.completion_ns for task in result.tasks) < 21 * MS
