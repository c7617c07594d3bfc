"""Builds and batches: the jobs that the micro-VM would run, and their metrics from a run of the simulator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.machine import flat_machine
from schedops.model.simulation import Op
from schedops.sim.programs.hints import model_hints
from schedops.sim.programs.jobs import FORK_NS, NS_PER_ITERATION, REAP_NS, random_name
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import plan_of, planned
from schedops.workloads.arms import INFORMED_NICE, setup_of
from schedops.workloads.expand import expand
from schedops.workloads.tables import metric_table
from tests.fakes.programs import play
from tests.fakes.workloads import batch, builds
from tests.sim.programs.kinds import pipes

MACHINE = flat_machine(2)


def steps(plan, task: int) -> list[tuple[int, ...]]:
    return [tuple(step) for step in plan.programs[plan.tasks[task].program]]


def at_once():
    return replace(builds(), builds=replace(builds().builds, arrival_gap_ms=0))


def test_the_jobs_are_those_of_the_micro_vm():
    jobs = expand(builds(), seed=7, cpus=2)
    plan = plan_of(builds(), machine=MACHINE, seed=7)
    works = [steps(plan, len(jobs.groups) + at)[0] for at in range(len(jobs.jobs))]
    assert works == [(Op.RUN, round(job.work * NS_PER_ITERATION), 0, 0) for job in jobs.jobs]
    assert [task.arrival_ns for task in plan.tasks[:4]] == [group.arrival_us * 1000 for group in jobs.groups]
    assert {task.arrival_ns for task in plan.tasks[4:]} == {-1}


def test_a_batch_grows_with_the_cpus():
    assert [len(plan_of(batch(), machine=flat_machine(cpus), seed=1).tasks) for cpus in (1, 2, 8)] == [7, 12, 42]


def test_a_manager_keeps_to_its_job_slots_and_phases():
    plan = plan_of(builds(), machine=MACHINE, seed=7)
    running, most, forked = 0, 0, []
    for op, a, b, _ in steps(plan, 0):
        if op == Op.FORK:
            running, forked = running + b, [*forked, a]
        elif op == Op.WAIT:
            running -= 1
        most = max(most, running)
    labels = [plan.labels[plan.tasks[at].label] for at in forked]
    assert (running, most) == (0, 4)
    assert labels == sorted(labels)  # compile, link, test: also the order of the alphabet
    assert labels.count("link") == 1
    costs = [a for op, a, *_ in steps(plan, 0) if op == Op.RUN]
    assert costs.count(FORK_NS) == costs.count(REAP_NS) == len(forked)


def test_arms_are_launched_as_in_the_micro_vm():
    hints = model_hints(batch(), seed=99, cpus=2)
    jobs = expand(batch(), seed=3, cpus=2)
    runs = {arm: planned(batch(), machine=MACHINE, seed=3, arm=arm, hints=hints, takes_hints=arm == "candidate")
            for arm in ("eevdf", "informed", "candidate")}  # fmt: skip
    for arm, run in runs.items():
        wanted = setup_of(arm, jobs, hints=hints, policy_takes_hints=arm == "candidate", name_seed=3)
        assert run.jobs == (jobs, wanted)
        assert tuple(task.hint_ns for task in run.plan.tasks[1:]) == wanted.hint_ns
        nices = [steps(run.plan, 1 + at)[0] for at in range(len(jobs.jobs))]
        assert [a if op == Op.NICE else 0 for op, a, *_ in nices] == list(wanted.nice)
    assert INFORMED_NICE in runs["informed"].jobs[1].nice
    assert any(runs["candidate"].jobs[1].hint_ns)


def test_a_build_has_a_cgroup_of_its_own_but_not_in_the_default_arm():
    flat, own = (plan_of(builds(), machine=MACHINE, seed=7, arm=arm) for arm in ("eevdf", "candidate"))
    assert (len(flat.cgroups), len(own.cgroups)) == (2, 5)
    assert {task.cgroup for task in flat.tasks} == {1}
    assert {task.cgroup for task in own.tasks} == {1, 2, 3, 4}


def test_equal_arguments_give_equal_plans_and_another_seed_others():
    one, two, other = (plan_of(builds(), machine=MACHINE, seed=seed) for seed in (7, 7, 8))
    assert one == two != other


def test_names_say_nothing_and_differ():
    names = {random_name(1, index) for index in range(1000)}
    assert len(names) == 1000
    assert {len(name) for name in names} == {12}


def test_the_error_of_hints_is_what_was_asked_for():
    still = replace(batch(), batch=replace(batch().batch, length_sigma=0.0))
    means = {job.key: job.work * NS_PER_ITERATION / 1000 for job in expand(still, seed=1, cpus=8).jobs}
    exact = model_hints(batch(), seed=5, cpus=8, error=0.0)
    rough = model_hints(batch(), seed=5, cpus=8, error=0.4)
    assert all(hint.cpu_us == pytest.approx(means[hint.key], abs=1) for hint in exact.hints)
    ratios = [hint.cpu_us / means[hint.key] for hint in rough.hints]
    assert 0.25 < max(ratios) - 1 < 2.5
    assert min(ratios) < 0.8


@pytest.mark.parametrize("workload", [at_once(), batch()])
def test_metrics_come_from_the_same_functions(workload):
    run = planned(workload, machine=MACHINE, seed=7)
    values = {one.metric: one.value for one in metrics_of_result(run, play(run.plan, MACHINE))}
    assert list(values) == list(metric_table(workload))
    assert all(value > 0 for value in values.values())
    per_floor = values.get("all_done_per_floor") or values["makespan_per_floor"]
    assert 1 <= per_floor < 3


@pytest.mark.parametrize("workload", [at_once(), pipes()])
def test_what_a_kernel_does_not_show_is_no_metric(workload):
    run = planned(workload, machine=MACHINE, seed=7)
    shown = metrics_of_result(run, replace(play(run.plan, MACHINE), cpus=()))
    machine = {name for name in metric_table(workload) if name.startswith("machine_cpu") or name == "utilisation"}
    assert machine
    assert {one.metric for one in shown} == set(metric_table(workload)) - machine


def test_a_manager_says_what_its_whole_build_will_use_when_that_is_wanted_and_known():
    hints = model_hints(builds(), seed=99, cpus=2)
    wants = {"machine": MACHINE, "seed": 7, "hints": hints, "takes_hints": True}
    plain, told = (planned(builds(), **wants, takes_group_hints=takes).plan for takes in (False, True))
    assert {task.hint_ns for task in plain.tasks[:4]} == {0}
    jobs = expand(builds(), seed=7, cpus=2).jobs
    for group, manager in enumerate(told.tasks[:4]):
        own = [task.hint_ns for task, job in zip(told.tasks[4:], jobs, strict=True) if job.group == group]
        assert manager.hint_ns == sum(own) > 0
    assert plain.tasks[4:] == told.tasks[4:]

    holes = replace(hints, hints=tuple(hint for hint in hints.hints if hint.key != jobs[0].key))
    unknown = planned(builds(), **(wants | {"hints": holes}), takes_group_hints=True).plan
    assert unknown.tasks[jobs[0].group].hint_ns == 0
    assert any(task.hint_ns for task in unknown.tasks[:4])
    assert planned(batch(), **(wants | {"hints": None}), takes_group_hints=True).plan.tasks[0].hint_ns == 0
