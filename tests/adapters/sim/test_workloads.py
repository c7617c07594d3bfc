"""Every kind of workload on the real engine: it comes to its end, and does the work that the programs say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedops.model.machine import flat_machine
from schedops.model.simulation import SimVerdict
from schedops.ports import SimScheduler
from schedops.repository import load_workloads
from schedops.schema.files import data_dir
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import planned
from schedops.workloads.tables import metric_table
from tests.fakes.programs import play
from tests.fakes.workloads import batch, builds
from tests.sim.programs.kinds import graph, kernel, pipes, requests, rt_app, task, tasks
from tests.sim.programs.test_rt_app import AS_WRITTEN

SHIPPED = {one.name: one for one in load_workloads(data_dir("policies").parent)}
FREE = {"switch_ns": 0, "migrate_llc_ns": 0, "migrate_across_llc_ns": 0, "migrate_across_node_ns": 0}
SMALL = {
    "batch": batch(),
    "builds": builds(),
    "pipes": pipes(),
    "kernel": kernel(),
    "graph": graph(("a", 10.0, ()), ("b", 20.0, ("a",)), ("c", 5.0, ("a",)), ("d", 1.0, ("b", "c"))),
    "timers": tasks(task("a", "run 1000", "timer t 3000", loop=3),
                    task("b", "run 500", "timer-absolute t 100", loop=3)),
    "locks": tasks(task("a", "lock m", "run 100", "unlock m", tasks=5, loop=20)),
    "condition": tasks(task("a", "lock m", "suspend e m", "unlock m", "run 7", tasks=3),
                       task("b", "sleep 1000", "lock m", "broadcast e", "unlock m")),
    "talk": tasks(task("a", "send q 2", "run 10", loop=9), task("b", "recv q", "run 300", "end", loop=9)),
    "forks": tasks(task("a", "fork b", "yield", loop=5), task("b", "run 40", tasks=0)),
    "semaphores": tasks(task("a", "wait s 2", "run 10", tasks=2), task("b", "post s", "sleep 50", loop=4)),
    "rt-app": rt_app(AS_WRITTEN),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("scheduler", ["fifo", "eevdf", "random"])
def test_the_engine_does_the_work_of_the_programs(simulator, name, scheduler):
    machine = replace(flat_machine(2), **FREE)
    run = planned(SMALL[name], machine=machine, seed=1)
    ours, wanted = simulator.run(run.plan, machine, SimScheduler(scheduler), trace=False), play(run.plan, machine)
    assert (ours.end.verdict, wanted.end.verdict) == (SimVerdict.DONE, SimVerdict.DONE), ours.end
    assert [one.cpu_ns for one in ours.tasks] == [one.cpu_ns for one in wanted.tasks]
    assert all(one.completion_ns >= 0 for one in ours.tasks)
    assert {one.metric for one in metrics_of_result(run, ours)} <= set(metric_table(run.workload))


ROUNDS = st.lists(
    st.sampled_from([
        ("run 130",), ("run 2500",), ("sleep 300",), ("timer t 1000",), ("timer-absolute u 700",), ("yield",),
        ("lock m", "run 40", "unlock m"), ("lock n", "sleep 50", "unlock n"), ("post s",), ("send q 4096",),
        ("nice 5",), ("begin", "run 90", "end"), ("fork leaf",), ("broadcast e",),
    ]),
    min_size=1, max_size=6,
)  # fmt: skip
CLASSES = st.lists(st.tuples(ROUNDS, st.integers(1, 3), st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(classes=CLASSES, cpus=st.integers(1, 5), scheduler=st.sampled_from(["fifo", "eevdf", "random"]))
def test_any_tasks_do_their_work(simulator, classes, cpus, scheduler):
    made = [
        task(f"c{at}", *(word for round_ in rounds for word in round_), tasks=count, loop=loop, start_ms=float(start))
        for at, (rounds, count, loop, start) in enumerate(classes)
    ]
    machine = replace(flat_machine(cpus), **FREE)
    run = planned(tasks(*made, task("leaf", "run 60", tasks=0)), machine=machine, seed=1)
    ours, wanted = simulator.run(run.plan, machine, SimScheduler(scheduler), trace=False), play(run.plan, machine)
    assert (ours.end.verdict, wanted.end.verdict) == (SimVerdict.DONE, SimVerdict.DONE), ours.end
    assert [one.cpu_ns for one in ours.tasks] == [one.cpu_ns for one in wanted.tasks]
    assert sum(cpu.busy_ns for cpu in ours.cpus) == sum(one.cpu_ns for one in ours.tasks)


@pytest.mark.parametrize("open_", [False, True])
def test_requests_end(simulator, open_):
    workload = requests(rate_per_s=900.0) if open_ else requests(work_sigma=0.3, think_us=50.0)
    run = planned(workload, machine=flat_machine(2), seed=1)
    result = simulator.run(run.plan, flat_machine(2), SimScheduler("eevdf"), trace=False)
    found = {one.metric: one.value for one in metrics_of_result(run, result)}
    assert list(found) == list(metric_table(workload))
    assert found["requests_per_s"] == pytest.approx(900 if open_ else 1900, rel=0.15)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_is_shipped_runs_and_gives_its_metrics(simulator, name):
    workload, machine = SHIPPED[name], flat_machine(4)
    run = planned(workload, machine=machine, seed=1)
    result = simulator.run(run.plan, machine, SimScheduler("eevdf"), trace=False)
    assert result.end.verdict == SimVerdict.DONE, result.end
    found = {one.metric for one in metrics_of_result(run, result)}
    wanted = [one.metric for one in (*workload.objectives, *workload.guards, *workload.slos)]
    assert set(wanted) <= found
