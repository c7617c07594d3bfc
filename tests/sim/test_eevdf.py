"""The model of the kernel's default scheduler on one queue: shares, latency, slices, cgroups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.machine import flat_machine
from schedops.model.simulation import Instruction, Op, SimCgroup, SimTask, Sync, SyncKind
from tests.fakes.simulations import HOG, MS, cores, hogs, plan_of, records, shares

ROOT = SimCgroup(name="/", parent=-1)
SLEEPER = (Instruction(Op.SLEEP, 5 * MS), Instruction(Op.RUN, MS // 5), Instruction(Op.JUMP, 0))


@pytest.mark.parametrize(("nice", "ratio"), [(1, 1024 / 820), (5, 1024 / 335), (-5, 1024 / 3121), (10, 1024 / 110)])
def test_nice_is_a_ratio_of_shares(simulated, nice, ratio):
    plan = plan_of(SimTask(name="a", program=0), SimTask(name="b", program=0, nice=nice), ms=20_000)
    normal, other = shares(simulated(plan, flat_machine(1)))
    assert normal / other == pytest.approx(ratio, rel=0.02)


def test_equal_tasks_get_equal_shares(simulated):
    assert shares(simulated(plan_of(*hogs(7), ms=10_000), flat_machine(1))) == pytest.approx([1 / 7] * 7, rel=0.01)


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_slice_is_what_the_kernel_gives(simulated, cpus):
    # 0.7 ms on one CPU, 1.4 ms on two; the tick of 1 ms notices it
    result = simulated(plan_of(*hogs(2 * cpus), ms=4000), flat_machine(cpus))
    stints = result.end_ns / sum(task.switches for task in result.tasks) * cpus
    assert stints == pytest.approx((1 if cpus == 1 else 2) * MS, rel=0.05)


def test_nice_may_change_while_it_runs(simulated):
    program = (Instruction(Op.NICE, 5), *HOG)
    first, second = shares(simulated(plan_of(*hogs(2), programs=(program, HOG), ms=10_000), flat_machine(1)))
    assert first == pytest.approx(second, rel=0.02)
    tasks = (SimTask(name="a", program=0), SimTask(name="b", program=1))
    lowered, normal = shares(simulated(plan_of(*tasks, programs=(program, HOG), ms=10_000), flat_machine(1)))
    assert normal / lowered == pytest.approx(1024 / 335, rel=0.02)


@pytest.mark.parametrize("cpus", [1, 2, 3])
def test_a_cgroup_has_its_weight_however_many_tasks_it_has(simulated, cpus):
    groups = (ROOT, SimCgroup(name="light", weight=100), SimCgroup(name="heavy", weight=300))
    plan = plan_of(*hogs(8, cgroup=1), *hogs(2 * cpus, cgroup=2), cgroups=groups, ms=10_000)
    got = shares(simulated(plan, flat_machine(cpus)))
    assert sum(got[8:]) / sum(got[:8]) == pytest.approx(3, rel=0.1)
    assert sum(got) == pytest.approx(cpus, rel=0.001)


def test_weights_count_among_siblings_only(simulated):
    groups = (
        ROOT,
        SimCgroup(name="a", weight=100),
        SimCgroup(name="b", weight=100),
        SimCgroup(name="b/c", parent=2, weight=100),
        SimCgroup(name="b/d", parent=2, weight=400),
    )
    tasks = (*hogs(1, cgroup=1), *hogs(1, cgroup=3), *hogs(1, cgroup=4))
    got = shares(simulated(plan_of(*tasks, cgroups=groups, ms=10_000), flat_machine(1)))
    assert got == pytest.approx([0.5, 0.1, 0.4], rel=0.05)


def test_a_task_without_cgroup_competes_with_cgroups(simulated):
    groups = (ROOT, SimCgroup(name="a", weight=100))
    got = shares(simulated(plan_of(*hogs(1), *hogs(5, cgroup=1), cgroups=groups, ms=10_000), flat_machine(1)))
    assert got[0] == pytest.approx(0.5, rel=0.03)


def test_a_sleeper_preempts_hogs_soon(simulated):
    plan = plan_of(*hogs(2), SimTask(name="sleeper", program=1), programs=(HOG, SLEEPER), ms=5000)
    task = simulated(plan, flat_machine(1)).tasks[2]
    assert task.max_wait_ns <= 3 * MS
    assert task.wait_ns / task.wakeups < 0.7 * MS
    assert task.cpu_ns > 0.03 * 5000 * MS  # all it asks for


@pytest.mark.parametrize(
    ("step_ns", "from_ns", "to_ns"), [(1000 * MS, MS, 3 * MS), (MS // 10, MS // 20, MS // 5)], ids=("user", "kernel")
)
def test_another_cpu_preempts_at_the_next_tick_or_system_call(simulated, step_ns, from_ns, to_ns):
    """Wake-ups from CPU 0 do not interrupt what CPU 1 runs in user space (PREEMPT_LAZY), with the tick of 250 Hz."""
    waker = (Instruction(Op.SLEEP, 7 * MS + 77_777), Instruction(Op.POST, 0), Instruction(Op.JUMP, 0))
    woken = (Instruction(Op.WAIT, 0), Instruction(Op.RUN, MS // 10), Instruction(Op.JUMP, 0))
    busy = (Instruction(Op.RUN, step_ns), Instruction(Op.JUMP, 0))
    plan = plan_of(
        SimTask(name="woken", program=1, cpuset=1),
        SimTask(name="waker", program=0, cpuset=0),
        SimTask(name="busy", program=2, cpuset=1, arrival_ns=1),
        programs=(waker, woken, busy),
        syncs=(Sync(kind=SyncKind.SEMAPHORE),),
        cpusets=((0,), (1,)),
        ms=2000,
    )
    task = simulated(plan, replace(flat_machine(2), tick_ns=4 * MS)).tasks[0]
    assert task.wakeups > 250
    assert from_ns < task.wait_ns / task.wakeups < to_ns


def test_sleeping_gives_no_credit(simulated):
    """Who slept for long gets no more than its share afterwards."""
    late = (Instruction(Op.SLEEP, 2000 * MS), *HOG)
    plan = plan_of(
        SimTask(name="a", program=0), SimTask(name="late", program=1), programs=(HOG, (*late[:-1], HOG[1])), ms=2100
    )
    result = simulated(plan, flat_machine(1))
    assert result.tasks[1].cpu_ns == pytest.approx(50 * MS, abs=3 * MS)


def test_short_sleeps_do_not_shed_debt(simulated):
    """A task that sleeps for a moment after each burst stays queued until its debt is paid (DELAY_DEQUEUE)."""
    blinker = (Instruction(Op.RUN, 5 * MS), Instruction(Op.SLEEP, 1000), Instruction(Op.JUMP, 0))
    plan = plan_of(*hogs(1), SimTask(name="blinker", program=1), programs=(HOG, blinker), ms=10_000)
    hog, other = shares(simulated(plan, flat_machine(1)))
    assert other <= 0.51
    assert hog >= 0.49


def test_yield_lets_others_go_first(simulated):
    yielder = (Instruction(Op.RUN, MS // 20), Instruction(Op.YIELD), Instruction(Op.JUMP, 0))
    plan = plan_of(*hogs(1), SimTask(name="yielder", program=1), programs=(HOG, yielder), ms=2000)
    hog, other = shares(simulated(plan, flat_machine(1)))
    assert other < 0.1 < 0.9 < hog


def test_a_new_task_does_not_wait_for_a_whole_round(simulated):
    plan = plan_of(
        *hogs(10), SimTask(name="new", program=1, arrival_ns=500 * MS), programs=(HOG, ((Op.RUN, MS // 10),))
    )
    plan = plan_of(
        *hogs(10),
        SimTask(name="new", program=1, arrival_ns=500 * MS),
        programs=(HOG, (Instruction(Op.RUN, MS // 10),)),
        ms=600,
    )
    new = simulated(plan, flat_machine(1)).tasks[10]
    assert new.first_run_ns - new.arrival_ns <= 10 * MS


def test_the_same_plan_gives_the_same_bytes(simulated):
    groups = (ROOT, SimCgroup(name="a", weight=50), SimCgroup(name="b"))
    plan = plan_of(
        *hogs(9, cgroup=1),
        *(SimTask(name="s", program=1, cgroup=2, nice=number - 3) for number in range(9)),
        programs=(HOG, SLEEPER),
        cgroups=groups,
        ms=300,
    )
    machine = cores(4, threads=2, llcs=2)
    assert simulated(plan, machine, trace=True) == simulated(plan, machine, trace=True)
    assert len(list(records(simulated(plan, machine, trace=True)))) > 1000
