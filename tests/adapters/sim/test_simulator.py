"""The engine and its policies as one: what has to hold for every scheduler, and how runs end."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.errors import InputError
from schedops.model.machine import FrequencyRamp, IdleState, Machine, SimCpu
from schedops.model.simulation import Op, SimPlan, SimResult, SimTask, SimVerdict
from schedops.ports import SimScheduler
from schedops.repository.library import load_policies
from tests.adapters.sim.conftest import MS, ROOT, mixed_plan, run, step

LIBRARY = [SimScheduler(name=one.policy.name, source=one) for one in load_policies(ROOT)]
SCHEDULERS = [SimScheduler(name="fifo"), SimScheduler(name="random"), *LIBRARY]
# Two nodes with two LLCs each, SMT, and slow CPUs: nothing about it is even.
ODD = Machine(
    name="odd",
    cpus=tuple(
        SimCpu(core=cpu // 2, llc=cpu // 4, node=cpu // 8, capacity=1024 if cpu < 7 else 400) for cpu in range(11)
    ),
    idle_states=(IdleState(after_ns=0, exit_ns=1_000), IdleState(after_ns=200_000, exit_ns=50_000)),
    frequency=FrequencyRamp(floor=400, ramp_ns=20 * MS, decay_ns=50 * MS),
)


def digest(result: SimResult) -> str:
    return hashlib.sha256(repr(astuple(result)).encode()).hexdigest()


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda one: f"{one.name}{'-policy' if one.source else ''}")
@pytest.mark.parametrize("machine", [1, 3, ODD], ids=["one", "three", "odd"])
def test_time_is_conserved_and_nobody_is_lost(
    simulator: WasmSimulator, scheduler: SimScheduler, machine: Machine | int
) -> None:
    result = run(simulator, mixed_plan(), scheduler, machine)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert all(cpu.busy_ns + cpu.idle_ns == result.end_ns for cpu in result.cpus)
    assert sum(task.cpu_ns for task in result.tasks) == sum(cpu.busy_ns for cpu in result.cpus)
    if scheduler.source or scheduler.name != "fifo":  # the built-in fifo lets everybody go on until it blocks
        assert all(task.switches > 0 for task in result.tasks)
    # Whoever waits may run anywhere, and no idle CPU looks away for longer than it takes to wake up.
    assert sum(cpu.idle_waste_ns for cpu in result.cpus) <= (50_000 * 11 * result.wakeups if machine is ODD else 0)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda one: f"{one.name}{'-policy' if one.source else ''}")
def test_equal_runs_give_equal_results(simulator: WasmSimulator, scheduler: SimScheduler) -> None:
    first = run(simulator, mixed_plan(), scheduler, ODD, trace=True)
    again = run(WasmSimulator(simulator._root), mixed_plan(), scheduler, ODD, trace=True)
    assert len(first.trace) > 24_000
    assert digest(first) == digest(again)
    assert digest(first) != digest(run(simulator, mixed_plan(seed=8), scheduler, ODD, trace=True))


def test_the_trace_changes_nothing(simulator: WasmSimulator) -> None:
    with_trace = run(simulator, mixed_plan(end_ns=3_000 * MS), LIBRARY[0], 2, trace=True)
    without = run(simulator, mixed_plan(end_ns=3_000 * MS), LIBRARY[0], 2)
    assert with_trace.tasks == without.tasks
    assert with_trace.events == without.events


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda one: f"{one.name}{'-policy' if one.source else ''}")
def test_affinity_is_kept(simulator: WasmSimulator, scheduler: SimScheduler) -> None:
    """Everybody is bound to CPU 1 of 3: the others do nothing at all."""
    program = (step(Op.RUN, 3 * MS), step(Op.SLEEP, MS), step(Op.LOOP, 0, 20))
    tasks = tuple(SimTask(name=f"bound-{number}", program=0, cpuset=0) for number in range(4))
    result = run(simulator, SimPlan(seed=1, programs=(program,), tasks=tasks, cpusets=((1,),)), scheduler, 3)
    assert result.end.verdict == SimVerdict.DONE
    assert [cpu.busy_ns > 0 for cpu in result.cpus] == [False, True, False]
    assert all(task.completion_ns > 0 and task.migrations == (0, 0, 0) for task in result.tasks)


def test_a_scheduler_that_does_not_exist(simulator: WasmSimulator) -> None:
    with pytest.raises(InputError, match="built in are fifo"):
        run(simulator, mixed_plan(), "cfs")


def test_weights_are_shares_of_cpu_time(simulator: WasmSimulator) -> None:
    fair = next(one for one in LIBRARY if one.name == "weighted-vtime")
    hog = (step(Op.RUN, 10 * MS), step(Op.LOOP, 0))
    tasks = tuple(SimTask(name=f"nice-{nice}", program=0, nice=nice) for nice in (0, 0, 5))
    result = run(simulator, SimPlan(seed=1, programs=(hog,), tasks=tasks, end_ns=4_000 * MS), fair, 1)
    shares = [task.cpu_ns / result.end_ns for task in result.tasks]
    heavy, light = 100, 33  # scx weights of nice 0 and 5
    assert shares == pytest.approx([heavy / 233, heavy / 233, light / 233], rel=0.02)


def test_a_damaged_cache_is_made_again(simulator: WasmSimulator, tmp_path: Path) -> None:
    expected = run(simulator, mixed_plan(), LIBRARY[1], 2)
    run(WasmSimulator(tmp_path), mixed_plan(), LIBRARY[1], 2)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) >= 7  # two modules, three of them as objects, two native, a layout
    for number, path in enumerate(kept):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if number % 2 else data[:-9] + bytes(9))
    assert run(WasmSimulator(tmp_path), mixed_plan(), LIBRARY[1], 2) == expected
