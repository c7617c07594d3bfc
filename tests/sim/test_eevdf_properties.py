"""What holds for the model of the default scheduler whatever the tasks and the machine are."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schedops.model.machine import Machine
from schedops.model.simulation import Instruction, Op, Program, SimCgroup, SimPlan, SimTask
from tests.fakes.simulations import MS, cores, longest_waste_ns

RUNS_NS = (10_000, 200_000, 3 * MS, 40 * MS)
SLEEPS_NS = (50_000, MS, 20 * MS)
GROUPS = (
    SimCgroup(name="/", parent=-1),
    SimCgroup(name="a", weight=20),
    SimCgroup(name="b", weight=1000),
    SimCgroup(name="b/c", parent=2),
)
MACHINES = (
    *(cores(count) for count in (1, 2, 3, 4, 8)),
    *(cores(count, threads=2) for count in (1, 2, 4, 8)),
    cores(4, llcs=2),
    cores(8, llcs=4, nodes=2),
    cores(4, capacities=(1024, 500)),
    cores(8, threads=1, llcs=2, capacities=(1024, 300)),
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    steps: list[Instruction] = []
    for _ in range(draw(st.integers(1, 5))):
        steps.append(Instruction(Op.RUN, draw(st.sampled_from(RUNS_NS))))
        if draw(st.booleans()):
            steps.append(Instruction(Op.SLEEP, draw(st.sampled_from(SLEEPS_NS))))
        if draw(st.integers(0, 9)) == 0:
            steps.append(draw(st.sampled_from((Instruction(Op.YIELD), Instruction(Op.NICE, 7)))))
    if draw(st.booleans()):
        steps.append(Instruction(Op.LOOP, 0, draw(st.integers(2, 20))))
    return tuple(steps)


@st.composite
def plans(draw: st.DrawFn, cpus: int, *, grouped: bool) -> SimPlan:
    count = draw(st.integers(1, 4 * cpus))
    tasks = tuple(
        SimTask(
            name=f"t{number}",
            program=number,
            nice=draw(st.sampled_from((0, 0, 5, -5, 19, -20))),
            cgroup=draw(st.integers(0, len(GROUPS) - 1)) if grouped else 0,
            arrival_ns=draw(st.sampled_from((0, 0, 7 * MS, 33_333_333))),
        )
        for number in range(count)
    )
    made = tuple(draw(programs()) for _ in tasks)
    return SimPlan(seed=1, tasks=tasks, programs=made, cgroups=GROUPS if grouped else GROUPS[:1])


@st.composite
def cases(draw: st.DrawFn) -> tuple[SimPlan, Machine]:
    machine = draw(st.sampled_from(MACHINES))
    return draw(plans(len(machine.cpus), grouped=draw(st.booleans()))), machine


def work_ns(plan: SimPlan, task: SimTask) -> int:
    """What the program of the task runs on a CPU of full speed."""
    steps = plan.programs[task.program]
    once = sum(step.a for step in steps if step.op == Op.RUN)
    return once * (steps[-1].b if steps[-1].op == Op.LOOP else 1)


@settings(max_examples=60)
@given(case=cases())
def test_nothing_is_lost_and_no_cpu_idles_for_long_while_tasks_wait(simulated, case):
    plan, machine = case
    result = simulated(plan, machine, trace=True)
    for cpu in result.cpus:
        assert cpu.busy_ns + cpu.idle_ns == result.end_ns
    assert sum(cpu.busy_ns for cpu in result.cpus) == sum(task.cpu_ns for task in result.tasks)
    for task, got in zip(plan.tasks, result.tasks, strict=True):
        assert got.completion_ns >= task.arrival_ns
        assert got.cpu_ns >= work_ns(plan, task)
    # An idle CPU balances every (CPUs) to 2 * (CPUs) ms, hot caches and odd groups may cost it two tries.
    assert longest_waste_ns(result, len(machine.cpus)) <= (20 + 6 * len(machine.cpus)) * MS


@settings(max_examples=15)
@given(case=cases())
@example(case=(SimPlan(seed=1, tasks=(SimTask(name="t", program=0),), programs=((),)), MACHINES[0]))
def test_runs_repeat_exactly(simulated, case):
    plan, machine = case
    assert simulated(plan, machine, trace=True) == simulated(plan, machine, trace=True)
