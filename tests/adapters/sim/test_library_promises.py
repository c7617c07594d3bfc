"""What the reasons of the library's policies promise, each against a policy without that reason, on the simulator."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, SimCpu, flat_machine
from schedops.model.simulation import Op, SimCgroup, SimPlan, SimResult, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, run, step
from tests.adapters.sim.test_library_policies import of_library

HOG = (step(Op.RUN, 5000 * MS),)
SLEEPER = (step(Op.SLEEP, 7 * MS), step(Op.RUN, MS // 5), step(Op.LOOP, 0))
TWO_CORES = Machine(name="smt", cpus=tuple(SimCpu(core=n % 2) for n in range(4)))
TWO_CACHES = Machine(name="caches", cpus=tuple(SimCpu(core=n, llc=n // 4) for n in range(8)))


def both(simulator: WasmSimulator, policy: str, plan: SimPlan, machine: Machine) -> tuple[SimResult, SimResult]:
    """Of the policy, and of weighted-vtime."""
    results = tuple(run(simulator, plan, of_library(name), machine) for name in (policy, "weighted-vtime"))
    assert [result.end.verdict for result in results] == [SimVerdict.DONE] * 2
    return results[0], results[1]


def hogs_and_sleeper(hogs: int, end_ms: int = 2000, **of_hogs: int) -> SimPlan:
    """The sleeper is the last task."""
    tasks = tuple(SimTask(name=f"hog-{at}", program=0, **of_hogs) for at in range(hogs))
    return SimPlan(
        seed=1, end_ns=end_ms * MS, programs=(HOG, SLEEPER), tasks=(*tasks, SimTask(name="sleeper", program=1))
    )


def migrations(result: SimResult, distance: int = 0) -> int:
    return sum(sum(task.migrations[distance:]) for task in result.tasks)


def test_short_first_serves_short_bursts_first_and_nobody_waits_for_ever(simulator: WasmSimulator) -> None:
    short = (step(Op.SLEEP, 3 * MS), step(Op.RUN, MS), step(Op.LOOP, 0))
    long = (step(Op.SLEEP, 3 * MS), step(Op.RUN, 20 * MS), step(Op.LOOP, 0))
    tasks = tuple(SimTask(name=f"task-{at}", program=at % 2) for at in range(6))
    plan = SimPlan(seed=1, end_ns=2000 * MS, programs=(short, long), tasks=tasks)
    own, fair = both(simulator, "short-first", plan, flat_machine(1))
    waits = [sum(task.wait_ns for task in result.tasks[::2]) for result in (own, fair)]
    assert waits[0] < 0.9 * waits[1]
    assert max(task.max_wait_ns for task in own.tasks) < 600 * MS


def test_earliest_deadline_takes_the_cpu_for_an_early_one(simulator: WasmSimulator) -> None:
    own, fair = both(simulator, "earliest-deadline", hogs_and_sleeper(3), flat_machine(1))
    assert own.tasks[-1].wait_ns * 10 < fair.tasks[-1].wait_ns
    hogs = [task.cpu_ns for task in own.tasks[:-1]]
    assert min(hogs) > 0.95 * max(hogs)


def test_tasks_of_work_stealing_stay_where_they_are(simulator: WasmSimulator) -> None:
    own, shared = both(simulator, "work-stealing", hogs_and_sleeper(16), flat_machine(8))
    assert migrations(own) * 10 < migrations(shared)
    cpu = [task.cpu_ns for task in own.tasks[:-1]]
    assert min(cpu) > 0.8 * max(cpu)


def test_tasks_of_llc_aware_stay_within_a_cache(simulator: WasmSimulator) -> None:
    own, shared = both(simulator, "llc-aware", hogs_and_sleeper(16), TWO_CACHES)
    assert migrations(own, 1) * 10 < migrations(shared, 1)


def test_prev_cpu_brings_tasks_back(simulator: WasmSimulator) -> None:
    own, shared = both(simulator, "prev-cpu", hogs_and_sleeper(16), flat_machine(8))
    assert migrations(own) * 4 < migrations(shared)
    cpu = [task.cpu_ns for task in own.tasks[:-1]]
    assert min(cpu) > 0.95 * max(cpu)


def test_smt_aware_spreads_who_had_to_share(simulator: WasmSimulator) -> None:
    """CPUs 0 and 2 share a core: when their neighbours end, two tasks are left on one of the two cores."""
    long, short = (step(Op.RUN, 200 * MS),), (step(Op.RUN, 20 * MS),)
    placed = ((0,), (1,), (2,), (3,))
    tasks = tuple(
        SimTask(name=f"task-{cpu}", program=program, cpuset=cpuset)
        for cpu, (program, cpuset) in enumerate(((2, 0), (1, 1), (2, 2), (1, 3)))
    )
    free = (step(Op.AFFINITY, 4), *long)
    plan = SimPlan(seed=1, programs=(long, short, free), cpusets=(*placed, (0, 1, 2, 3)), tasks=tasks)
    own, fair = both(simulator, "smt-aware", plan, TWO_CORES)
    ends = [max(task.completion_ns for task in result.tasks) for result in (own, fair)]
    assert ends[0] < 0.85 * ends[1]


def test_jobs_of_long_slices_do_not_all_end_late(simulator: WasmSimulator) -> None:
    jobs = tuple(SimTask(name=f"job-{at}", program=0) for at in range(10))
    plan = SimPlan(seed=1, programs=((step(Op.RUN, 60 * MS),),), tasks=jobs)
    own, fair = both(simulator, "long-slices", plan, flat_machine(2))
    means = [sum(task.completion_ns for task in result.tasks) for result in (own, fair)]
    assert means[0] < 0.7 * means[1]
    assert sum(task.switches for task in own.tasks) * 5 < sum(task.switches for task in fair.tasks)


def test_a_layer_gets_its_share_however_many_tasks_it_has(simulator: WasmSimulator) -> None:
    cgroups = (SimCgroup(name="/", parent=-1), SimCgroup(name="many"), SimCgroup(name="one", weight=300))
    tasks = (*(SimTask(name=f"many-{at}", program=0, cgroup=1) for at in range(9)),)
    tasks = (*tasks, SimTask(name="one", program=0, cgroup=2))
    plan = SimPlan(seed=1, end_ns=2000 * MS, programs=(HOG,), cgroups=cgroups, tasks=tasks)
    own, fair = both(simulator, "layered", plan, flat_machine(1))
    assert 1450 * MS < own.tasks[-1].cpu_ns < 1550 * MS
    assert fair.tasks[-1].cpu_ns < 250 * MS


def test_tickless_leaves_a_task_alone_that_nobody_waits_for(simulator: WasmSimulator) -> None:
    alone = SimPlan(seed=1, end_ns=1000 * MS, programs=(HOG,), tasks=(SimTask(name="hog", program=0),) * 2)
    own, _ = both(simulator, "tickless", alone, flat_machine(2))
    assert [task.preemptions for task in own.tasks] == [0, 0]
    own, _ = both(simulator, "tickless", hogs_and_sleeper(6), flat_machine(2))
    cpu = [task.cpu_ns for task in own.tasks[:-1]]
    assert min(cpu) > 0.95 * max(cpu)
    assert max(task.max_wait_ns for task in own.tasks) < 40 * MS


def test_neighbour_guard_holds_back_who_takes_more_than_its_share(simulator: WasmSimulator) -> None:
    cgroups = (SimCgroup(name="/", parent=-1), SimCgroup(name="noisy"), SimCgroup(name="service"))
    worker = (step(Op.SLEEP, 8 * MS), step(Op.RUN, 4 * MS), step(Op.LOOP, 0))
    tasks = (*(SimTask(name=f"noisy-{at}", program=0, cgroup=1) for at in range(12)),)
    tasks = (*tasks, *(SimTask(name=f"service-{at}", program=1, cgroup=2) for at in range(2)))
    plan = SimPlan(seed=1, end_ns=3000 * MS, programs=(HOG, worker), cgroups=cgroups, tasks=tasks)
    own, fair = both(simulator, "neighbour-guard", plan, flat_machine(2))
    waits = [sum(task.wait_ns for task in result.tasks[-2:]) for result in (own, fair)]
    assert waits[0] * 2 < waits[1]
    assert max(task.max_wait_ns for task in own.tasks) < 500 * MS


@pytest.mark.parametrize(
    "policy",
    ["weighted-vtime", "long-first", "build-order", "interactive", "earliest-deadline", "prev-cpu", "smt-aware"],
)
def test_who_ran_alone_owes_nobody_for_it(simulator: WasmSimulator, policy: str) -> None:
    """A task of nice 19 has the CPU for 150 ms, then eight others come: by weight alone it would wait for 80 s."""
    light = (step(Op.RUN, 150 * MS), step(Op.YIELD), step(Op.RUN, 5000 * MS))
    late = (step(Op.SLEEP, 100 * MS), step(Op.RUN, 5000 * MS))
    tasks = (SimTask(name="light", program=0, nice=19), *(SimTask(name=f"hog-{at}", program=1) for at in range(8)))
    plan = SimPlan(seed=1, end_ns=10_000 * MS, programs=(light, late), tasks=tasks)
    result = run(simulator, plan, of_library(policy), flat_machine(1))
    assert result.end.verdict == SimVerdict.DONE
    assert result.tasks[0].max_wait_ns < 4_500 * MS
