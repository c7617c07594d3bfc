"""What switches and wake-ups cost in the guest, by handing tokens over, and a simulated machine of such costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from schedops.model.machine import IdleState, Machine, flat_machine
from schedops.model.simulation import Instruction, Op, Program, SimPlan, SimResult
from schedops.ports import SimScheduler, Simulator
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.histogram import quantile_ns
from schedops.stats.summary import median

from .samples import Hops

CPUS = 2
TICK_NS = 4_000_000  # CONFIG_HZ=250 of the kernels in the store
ROUNDS = 300
REPEATS = 5
WORK_NS = 50_000_000
IDLE_NS = 500_000
Play = Callable[[SimPlan], SimResult]


def lab() -> Machine:
    """The guest as a machine, with the documented costs until others are measured."""
    return replace(flat_machine(CPUS), name="guest-2", tick_ns=TICK_NS)


def hops(play: Play) -> Hops:
    """Medians of :data:`REPEATS` runs."""
    runs = [
        (_step(play), _hop(play, 0), _hop(play, 1), _asleep(play), _work(play, 1), _work(play, 2))
        for _ in range(REPEATS)
    ]
    return Hops(*(median(one) for one in zip(*runs, strict=True)))


def machine_of(measured: Hops, simulator: Simulator) -> Machine:
    """A machine on which a simulated token takes as long as it did in the guest.

    A step that blocks nobody is free in the simulator, so what it took in the guest is taken off. All of a hop on one
    CPU becomes the switch; what waking a CPU takes longer, at once and after a while, becomes the time that leaving
    idle takes. In a hop no CPU falls asleep, so that is taken to last for two. The cost of a migration is not in it:
    the documented one stays.
    """
    machine = replace(lab(), switch_ns=max(0, round(measured.same_ns - measured.step_ns)))
    free = simulated(machine, simulator, SimScheduler("eevdf"))
    at_once_ns = max(0, round(measured.other_ns - measured.step_ns - free.other_ns))
    asleep_ns = max(at_once_ns, round(measured.asleep_ns - free.asleep_ns))
    states = (
        IdleState(after_ns=0, exit_ns=at_once_ns),
        IdleState(after_ns=round(2 * measured.other_ns), exit_ns=asleep_ns),
    )
    return replace(machine, idle_states=states)


def simulated(machine: Machine, simulator: Simulator, scheduler: SimScheduler) -> Hops:
    """The same runs in the simulator. A wake-up ends there where the switch begins, in the guest after it."""
    found = hops(lambda plan: simulator.run(plan, machine, scheduler, trace=False))
    return replace(found, asleep_ns=found.asleep_ns + machine.switch_ns)


def _step(play: Play) -> float:
    builder = PlanBuilder()
    token = builder.semaphore()
    program = (Instruction(Op.POST, token), Instruction(Op.WAIT, token), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("alone", program, label="alone", cpuset=builder.cpuset([0]))
    return _length_ns(play(builder.plan(seed=1))) / ROUNDS


def _hop(play: Play, cpu: int) -> float:
    """:param cpu: of the second task; the first one's is 0."""
    builder = PlanBuilder()
    there, back = builder.semaphore(), builder.semaphore()
    first: Program = (Instruction(Op.POST, there), Instruction(Op.WAIT, back), Instruction(Op.LOOP, 0, ROUNDS, 0))
    second: Program = (Instruction(Op.WAIT, there), Instruction(Op.POST, back), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("ping", first, label="ping", cpuset=builder.cpuset([0]))
    builder.task("pong", second, label="pong", cpuset=builder.cpuset([cpu]))
    return _length_ns(play(builder.plan(seed=1))) / (2 * ROUNDS)


def _asleep(play: Play) -> float:
    builder = PlanBuilder()
    token = builder.semaphore()
    rings = (Instruction(Op.RUN, IDLE_NS), Instruction(Op.POST, token), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("ringer", rings, label="ringer", cpuset=builder.cpuset([0]))
    sleeps = (Instruction(Op.WAIT, token), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("sleeper", sleeps, label="sleeper", cpuset=builder.cpuset([1]))
    plan = builder.plan(seed=1)
    found = quantile_ns(play(plan).labels[plan.labels.index("sleeper")].wakeup, 0.5)
    assert found is not None  # it was woken as often as there are rounds
    return found


def _work(play: Play, cpus: int) -> float:
    builder = PlanBuilder()
    for cpu in range(cpus):
        builder.task(f"worker-{cpu}", (Instruction(Op.RUN, WORK_NS),), label="alone", cpuset=builder.cpuset([cpu]))
    return _length_ns(play(builder.plan(seed=1))) / WORK_NS


def _length_ns(result: SimResult) -> int:
    first = min(task.first_run_ns if task.first_run_ns >= 0 else task.arrival_ns for task in result.tasks)
    return max(task.completion_ns for task in result.tasks) - max(first, 0)
