"""Loads as plans: the right number of tasks, bound where they should be, different from seed to seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.policy import Capabilities
from schedops.model.simulation import Op, SimVerdict
from schedops.ports import SimScheduler
from schedops.repository import load_machine
from schedops.verify.dynamic import loads
from schedops.verify.simulated import cases, judging, shapes
from schedops.verify.simulated.plans import KERNEL_THREADS, disturbed, grown, plan_of

ALL = Capabilities(weights=True, hints=True, cgroups=True, hotplug=True, partial=True)


def test_a_load_grows_with_the_machine_and_its_last_cpu_stays_the_last() -> None:
    load = grown(loads.mixed(2), 8)
    count = {group.name: group.count for group in load.groups}
    assert (count["hogs"], count["niced hogs"], count["hogs on the last CPU"]) == (8, 4, 1)
    assert {group.cpus for group in load.groups} == {(), (0,), (7,)}
    assert {group.cpus for group in grown(loads.mixed(2), 1).groups} == {(), (0,)}
    assert not {"stopped", "traced", "execer"} & {group.kind for group in grown(loads.changes(2), 2).groups}


def test_plans_are_the_same_for_a_seed_and_differ_between_seeds() -> None:
    load = disturbed(grown(loads.changes(2), 3), 3)
    assert plan_of(load, 3, seed=1) == plan_of(load, 3, seed=1)
    assert plan_of(load, 3, seed=1) != plan_of(load, 3, seed=2)


def test_a_plan_has_the_groups_tasks_and_the_forkers_children() -> None:
    load = disturbed(grown(loads.mixed(2), 2), 2)
    plan = plan_of(load, 2, seed=1)
    threads = [task for task in plan.tasks if task.label == plan.labels.index(KERNEL_THREADS)]
    assert [plan.cpusets[task.cpuset] for task in threads] == [(0,), (1,)]
    assert len(set(plan.labels)) == len(plan.labels)
    first = [task for task in plan.tasks if task.label == plan.labels.index("forkers") and task.arrival_ns >= 0]
    children = [task for task in plan.tasks if task.arrival_ns < 0]
    assert len(first) == 2
    assert len(children) == 2 * (load.duration_ms // 5)
    outside = {task.cgroup for task in plan.tasks if "outside" in plan.labels[task.label]}
    assert outside == {0}


def test_pairs_jump_back_behind_the_gate() -> None:
    plan = plan_of(grown(loads.changes(2), 2), 2, seed=1)
    for program in plan.programs:
        jumps = [step.a for step in program if step.op == Op.JUMP]
        gate = [at for at, step in enumerate(program) if step.op == Op.SLEEP and step.a == 10_000_000]
        assert all(target > gate[0] for target in jumps if gate)


def test_the_odd_machine_is_the_one_that_comes_along() -> None:
    assert shapes.odd_three() == load_machine("odd-3", cwd=Path.cwd())


def test_cases_are_found_by_their_ids() -> None:
    every = (*cases.brief(ALL), *cases.thorough(ALL), *cases.of_cgroups(ALL))
    assert len({case.id for case in every}) == len(every)
    for case in every:
        found = cases.find(case.id)
        assert found is not None
        assert (found.machine, found.load, found.seed) == (case.machine, case.load, case.seed)
    assert cases.find("mix/flat-2/1ms/1") is None


@pytest.mark.parametrize("case", cases.brief(ALL), ids=lambda case: case.id)
def test_the_default_scheduler_lives_through_them(simulator: WasmSimulator, case: cases.Case) -> None:
    plan = case.plan()
    result = simulator.run(plan, case.machine, SimScheduler(name="eevdf"), trace=False)
    assert result.end.verdict == SimVerdict.DONE
    assert judging.problem_of(case, plan, result) is None
