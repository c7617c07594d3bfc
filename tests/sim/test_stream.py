"""The event stream of the real engine says the same as its accounting."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import TraceKind
from schedops.ports import SimScheduler
from schedops.repository import load_machine, load_workload, resolve_policy
from schedops.sim.programs.plan import planned
from schedops.sim.stream import queue_title, records, slices, task_title

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulator(sim_modules):
    return WasmSimulator(sim_modules)


def scheduler(name):
    if name in ("eevdf", "random"):
        return SimScheduler(name)
    return SimScheduler(name, resolve_policy(ROOT, name, cwd=ROOT))


@pytest.mark.parametrize("machine", ["flat-2", "odd-3", "laptop-4-4", "smt-16"])
@pytest.mark.parametrize("name", ["eevdf", "random", "build-order"])
def test_slices_add_up_to_what_was_accounted(simulator, name, machine):
    plan = planned(load_workload(ROOT, "ci-builds"), machine=load_machine(machine, cwd=ROOT), seed=3).plan
    result = simulator.run(plan, load_machine(machine, cwd=ROOT), scheduler(name), trace=True)
    assert result.end.verdict == "done"
    busy, used, turns, waited = Counter(), Counter(), Counter(), Counter()
    free = Counter()
    for one in sorted(slices(result.trace, result.end_ns), key=lambda one: one.start_ns):
        assert free[one.cpu] <= one.start_ns <= one.end_ns
        free[one.cpu] = one.end_ns
        busy[one.cpu] += one.end_ns - one.start_ns
        used[one.task] += one.end_ns - one.start_ns
        turns[one.task] += 1
        waited[one.task] += one.wait_ns
    assert [busy[cpu] for cpu in range(len(result.cpus))] == [cpu.busy_ns for cpu in result.cpus]
    tasks = range(len(plan.tasks))
    assert [used[task] for task in tasks] == [task.cpu_ns for task in result.tasks]
    assert [turns[task] for task in tasks] == [task.switches for task in result.tasks]
    assert [waited[task] for task in tasks] == [task.wait_ns for task in result.tasks]


def test_records_are_in_order_and_wake_ups_are_all_there(simulator):
    plan = planned(load_workload(ROOT, "ci-builds"), machine=load_machine("flat-2", cwd=ROOT), seed=1).plan
    result = simulator.run(plan, load_machine("flat-2", cwd=ROOT), scheduler("build-order"), trace=True)
    found = list(records(result.trace))
    assert [one.time_ns for one in found] == sorted(one.time_ns for one in found)
    kinds = Counter(one.kind for one in found)
    assert kinds[TraceKind.WAKE] == result.wakeups
    assert kinds[TraceKind.EXIT] == len(plan.tasks)
    queues = {queue_title(one.argument) for one in found if one.kind == TraceKind.QUEUE}
    assert {"DSQ 1", "DSQ 2"} & queues
    # Whatever is put into a queue is taken out of it.
    last = {one.argument: one.task for one in found if one.kind == TraceKind.QUEUE}
    assert set(last.values()) == {0}


def test_without_a_trace_nothing_is_kept_and_nothing_changes(simulator):
    plan = planned(load_workload(ROOT, "ci-builds"), machine=load_machine("flat-2", cwd=ROOT), seed=1).plan
    runs = [
        simulator.run(plan, load_machine("flat-2", cwd=ROOT), scheduler("build-order"), trace=trace)
        for trace in (False, True)
    ]
    assert runs[0].trace == b""
    assert (runs[0].tasks, runs[0].cpus, runs[0].labels) == (runs[1].tasks, runs[1].cpus, runs[1].labels)


def test_names():
    plan = planned(load_workload(ROOT, "ci-builds"), machine=load_machine("flat-2", cwd=ROOT), seed=1).plan
    assert task_title(plan, 0) == "make-0:0"
    assert task_title(plan, 10**6) == "task 1000000"
    names = [queue_title(queue) for queue in (0, 7, 1 << 40, 1 << 63 | 1, 1 << 63 | 2, 3 << 62 | 5)]
    assert names == ["DSQ 0", "DSQ 7", "DSQ 0x10000000000", "DSQ global", "DSQ local", "DSQ local of CPU 5"]
