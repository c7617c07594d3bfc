from __future__ import annotations

import dataclasses

import pytest

from schedops.errors import InputError
from schedops.model.machine import flat_machine
from schedops.model.simulation import Op, SimVerdict
from schedops.model.workload_kinds import Absence, TaskClass, TaskPhase, TaskStep
from schedops.sim.programs.plan import planned
from tests.sim.programs.kinds import ran, steps, task, tasks, values


def ends_ms(result) -> list[float]:
    return [one.completion_ns / 1e6 for one in result.tasks]


def test_runs_and_sleeps_by_hand():
    run, result = ran(tasks(task("a", "run 1000", "sleep 2000", loop=3), task("b", "run 500")), cpus=2)
    assert ends_ms(result) == [pytest.approx(9, abs=0.001), pytest.approx(0.5, abs=0.001)]
    assert values(run, result)["mean_completion_ms"] == pytest.approx(4.75, abs=0.001)


def test_a_timer_keeps_its_period_and_a_late_one_begins_anew_or_catches_up():
    phases = (TaskPhase(steps=steps("run 1000", "timer t 3000")), TaskPhase(steps=steps("run 7000", "timer t 3000")),
              TaskPhase(steps=steps("run 1000", "timer t 3000"), loop=2))  # fmt: skip
    relative = TaskClass(name="a", phases=phases)
    absolute = dataclasses.replace(relative, phases=tuple(
        TaskPhase(steps=tuple(dataclasses.replace(step, do="timer-absolute") if step.do == "timer" else step
                              for step in phase.steps), loop=phase.loop) for phase in phases))  # fmt: skip
    # 3 after the first; 10 after the long one, too late for 6; then 10 + 3 and 10 + 6, or 9 (late, 11) and 12.
    assert ends_ms(ran(tasks(relative))[1]) == [pytest.approx(16, abs=0.01)]
    assert ends_ms(ran(tasks(absolute))[1]) == [pytest.approx(12, abs=0.01)]


def test_the_first_period_begins_with_the_task():
    assert ends_ms(ran(tasks(task("a", "run 1000", "timer t 3000")))[1]) == [pytest.approx(3, abs=0.01)]


def test_locks_exclude_and_semaphores_count():
    _run, result = ran(tasks(task("a", "lock m", "run 1000", "unlock m", tasks=4)), cpus=4)
    assert max(ends_ms(result)) == pytest.approx(4, abs=0.01)
    _run, result = ran(
        tasks(task("a", "wait s 2", "run 1000", tasks=2), task("b", "post s", "sleep 500", loop=4)), cpus=4
    )
    assert result.end.verdict == SimVerdict.DONE
    assert ends_ms(result)[:2] == [pytest.approx(1.5, abs=0.01), pytest.approx(2.5, abs=0.01)]


def test_barriers_wait_for_every_task_of_every_class_that_names_them():
    _run, result = ran(tasks(task("a", "run 1000", "barrier x", tasks=2), task("b", "run 5000", "barrier x")), cpus=3)
    assert ends_ms(result) == [pytest.approx(5, abs=0.01)] * 3


def test_queues_events_and_requests():
    talk = (task("asks", "send q", "sleep 1000", loop=5), task("answers", "recv q", "run 200", "end", loop=5))
    run, result = ran(tasks(*talk))
    assert result.end.verdict == SimVerdict.DONE
    assert values(run, result)["request_p50_us"] == pytest.approx(200, rel=0.07)
    sleepers = (
        task("a", "lock m", "suspend e m", "unlock m"),
        task("b", "sleep 1000", "lock m", "signal e", "unlock m"),
    )
    assert ran(tasks(*sleepers))[1].end.verdict == SimVerdict.DONE


def test_open_arrivals_come_one_by_one_and_depend_on_the_seed():
    one = task("a", "run 10", tasks=200, gap_ms=2.0, start_ms=5.0)
    run, _ = ran(tasks(one))
    arrivals = [each.arrival_ns / 1e6 for each in run.plan.tasks]
    assert arrivals[0] == 5
    assert sorted(arrivals) == arrivals
    assert (arrivals[-1] - 5) / 199 == pytest.approx(2, rel=0.25)


def test_phases_set_nice_and_cpus_and_later_ones_go_back():
    one = TaskClass(name="a", cpus=(1,), phases=(TaskPhase(steps=steps("run 10"), cpus=(0,), nice=5),
                                                TaskPhase(steps=steps("run 10"), loop=3)), loop=2)  # fmt: skip
    run, result = ran(tasks(one))
    assert result.end.verdict == SimVerdict.DONE
    program = run.plan.programs[0]
    sets = [run.plan.cpusets[step.a] for step in program if step.op == Op.AFFINITY]
    assert sets == [(0,), (1,)]
    assert [step.a for step in program if step.op == Op.NICE] == [5]
    assert result.tasks[0].cpu_ns == 80_000


def test_cgroups_nest_and_have_weights():
    run, _ = ran(tasks(task("a", "run 1", cgroup="/web/front", cgroup_weight=300), task("b", "run 1", cgroup="/web")))
    assert [(one.name, one.parent, one.weight) for one in run.plan.cgroups] == [
        ("/", -1, 100), ("web", 0, 100), ("front", 1, 300)]  # fmt: skip
    assert [one.cgroup for one in run.plan.tasks] == [2, 1]


def test_a_fork_makes_a_task_each_time_it_is_passed():
    run, result = ran(tasks(task("a", "fork b", "sleep 100", loop=3), task("b", "run 10", tasks=0)))
    assert result.end.verdict == SimVerdict.DONE
    assert [run.plan.labels[one.label] for one in run.plan.tasks].count("b") == 3
    assert all(one.completion_ns > 0 for one in result.tasks)


def test_scale_and_cpus_make_more_tasks():
    one = tasks(task("a", "run 10", tasks=1, tasks_per_cpu=0.5))
    assert [len(ran(one, cpus=cpus, scale=scale)[0].plan.tasks) for cpus, scale in ((2, 1), (8, 1), (8, 2))] == [
        2,
        5,
        10,
    ]


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        ((task("a", "run 1", loop=0),), "runs for ever, so the run needs a duration"),
        ((task("a", "run 1"), task("a", "run 1")), "is there twice"),
        ((task("a", "run 1", cpus=(7,)),), "wants CPU 7, flat-2 has 2"),
        ((task("a", "lock"),), "a lock needs a name"),
        ((task("a", "nice 30"),), "nice 30 is not within"),
        ((task("a", *(f"timer t{chr(97 + at)} 10" for at in range(5))),), "5 timers in one task"),
        ((task("a", "fork a"),), "forks itself"),
        ((task("a", "fork z"),), "no class of that name"),
        ((task("a", "fork b"), task("b", "timer t 5", tasks=0)), "is forked and has a timer"),
        ((task("a", "fork b"), task("b", "barrier x", tasks=0)), "is forked and has a barrier"),
        ((task("a", "fork b"), task("b", "run 1", tasks=0, start_ms=5.0)), "has a start of its own"),
        ((task("a", "fork b", "run 1", loop=10**9), task("b", "run 1", tasks=0)), "more than 1024 times"),
        ((task("a", "fork b", *["run 1"] * 30_000, loop=9), task("b", "run 1", tasks=0)), "100000 steps later"),
        ((task("a", "fork b", loop=2000), task("b", "run 1", tasks=0)), "more than 1024 times"),
    ],
)
def test_what_cannot_run_is_said(classes, what):
    with pytest.raises(InputError, match=what) as caught:
        ran(tasks(*classes))
    assert caught.value.code == "bad-workload"


def test_a_fork_without_end_is_said():
    with pytest.raises(InputError, match="in a loop without end"):
        ran(tasks(task("a", "fork b", loop=0), task("b", "run 1", tasks=0), duration_ms=5.0))


def test_a_loop_beside_a_fork_stays_a_loop():
    one = TaskClass(name="a", phases=(TaskPhase(steps=steps("fork b"), loop=2),
                                      TaskPhase(steps=steps("run 10"), loop=10**6)))  # fmt: skip
    run, _ = ran(tasks(dataclasses.replace(one, phases=one.phases[:1]), task("b", "run 1", tasks=0)))
    assert len(run.plan.tasks) == 3
    made = planned(tasks(one, task("b", "run 1", tasks=0)), machine=flat_machine(2), seed=1).plan
    assert len(made.programs[made.tasks[-1].program]) == 4


def test_classes_that_fork_each_other_deeply_are_said():
    chain = [task(f"t{at}", f"fork t{at + 1}", tasks=int(not at)) for at in range(100)]
    with pytest.raises(InputError, match="nested deeper than 60"):
        ran(tasks(*chain, task("t100", "run 1", tasks=0)))


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (tuple(task(f"t{at}", f"send q{at} 65536") for at in range(65)), "more than 4194304 messages"),
        ((TaskClass(name="a", phases=(TaskPhase(steps=tuple(
            TaskStep(do="run", us=at + 1.0, draw="exponential") for at in range(501))),)),), "500 distributions"),
    ],
)  # fmt: skip
def test_a_workload_that_wants_too_much_memory_is_said(classes, what):
    with pytest.raises(InputError, match=what):
        ran(tasks(*classes))


def test_a_workload_too_large_is_said():
    with pytest.raises(InputError, match="more than 50000 tasks"):
        ran(tasks(*(task(f"t{at}", "run 1", tasks=20_000) for at in range(3))))


def test_who_asks_for_sched_ext_is_in_the_plan():
    classes = (dataclasses.replace(task("a", "run 1000", tasks=2), ext=True), task("b", "run 1000"))
    run, result = ran(tasks(*classes))
    assert [one.ext for one in run.plan.tasks] == [True, True, False]
    assert result.end.verdict == SimVerdict.DONE


def test_a_cpu_that_is_away_for_a_while():
    away = tasks(task("a", "run 10000", tasks=4))
    away = dataclasses.replace(away, tasks=dataclasses.replace(away.tasks, offline=Absence(cpu=1, from_ms=2, to_ms=8)))
    plan = planned(away, machine=flat_machine(2), seed=1).plan
    assert (plan.offline_cpu, plan.offline_ns, plan.online_ns) == (1, 2_000_000, 8_000_000)


@pytest.mark.parametrize(
    ("cpus", "absence", "what"),
    [
        (2, Absence(cpu=2, from_ms=1), "cannot go offline"),
        (1, Absence(cpu=0, from_ms=1), "cannot go offline"),
        (2, Absence(cpu=1, from_ms=5, to_ms=5), "comes back before it went"),
    ],
)
def test_a_cpu_that_cannot_go(cpus, absence, what):
    made = tasks(task("a", "run 1000"))
    made = dataclasses.replace(made, tasks=dataclasses.replace(made.tasks, offline=absence))
    with pytest.raises(InputError, match=what):
        planned(made, machine=flat_machine(cpus), seed=1)
