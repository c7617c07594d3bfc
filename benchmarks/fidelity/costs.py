"""What switches and wake-ups cost in the guest, by handing tokens over, and a simulated machine of such costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from schedops.errors import Unavailable
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
    rows = [(_hop(play, 0), _hop(play, 1), _asleep(play), _work(play, 1), _work(play, 2)) for _ in range(REPEATS)]
    same, other, asleep, work, both = (median(one) for one in zip(*rows, strict=True))
    return Hops(same_ns=same, other_ns=other, asleep_ns=asleep, work=work, both=both)


def machine_of(measured: Hops, simulator: Simulator) -> Machine:
    """A machine on which simulated wake-ups take as long as they did in the guest.

    All of one on the waker's CPU becomes the switch; what another CPU takes longer, at once and after a while, becomes
    the time that leaving idle takes. While tokens go to and fro a CPU idles for a hop at a time, so it is taken to be
    awake for two. The cost of a migration is not in it: the documented one stays.
    """
    machine = replace(lab(), switch_ns=round(measured.same_ns))
    free = simulated(machine, simulator, SimScheduler("eevdf"))
    at_once_ns = max(0, round(measured.other_ns - free.other_ns))
    asleep_ns = max(at_once_ns, round(measured.asleep_ns - free.asleep_ns))
    awake_ns = 2 * (machine.switch_ns + at_once_ns)
    states = (IdleState(after_ns=0, exit_ns=at_once_ns), IdleState(after_ns=max(awake_ns, 1), exit_ns=asleep_ns))
    return replace(machine, idle_states=states)


def simulated(machine: Machine, simulator: Simulator, scheduler: SimScheduler) -> Hops:
    """The same runs in the simulator. A wake-up ends there where the switch begins, in the guest after it."""
    found, more_ns = hops(lambda plan: simulator.run(plan, machine, scheduler, trace=False)), machine.switch_ns
    return replace(
        found,
        same_ns=found.same_ns + more_ns,
        other_ns=found.other_ns + more_ns,
        asleep_ns=found.asleep_ns + more_ns,
    )


def _hop(play: Play, cpu: int) -> float:
    """:param cpu: of the second task; the first one's is 0."""
    builder = PlanBuilder()
    there, back = builder.semaphore(), builder.semaphore()
    first: Program = (Instruction(Op.POST, there), Instruction(Op.WAIT, back), Instruction(Op.LOOP, 0, ROUNDS, 0))
    second: Program = (Instruction(Op.WAIT, there), Instruction(Op.POST, back), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("ping", first, label="ping", cpuset=builder.cpuset([0]))
    builder.task("pong", second, label="pong", cpuset=builder.cpuset([cpu]))
    return _wakeup_ns(play, builder.plan(seed=1), "pong")


def _asleep(play: Play) -> float:
    builder = PlanBuilder()
    token = builder.semaphore()
    rings = (Instruction(Op.RUN, IDLE_NS), Instruction(Op.POST, token), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("ringer", rings, label="ringer", cpuset=builder.cpuset([0]))
    sleeps = (Instruction(Op.WAIT, token), Instruction(Op.LOOP, 0, ROUNDS, 0))
    builder.task("sleeper", sleeps, label="sleeper", cpuset=builder.cpuset([1]))
    return _wakeup_ns(play, builder.plan(seed=1), "sleeper")


def _wakeup_ns(play: Play, plan: SimPlan, label: str) -> float:
    # Medians: where the host is busy, means are its, not the guest's.
    found = quantile_ns(play(plan).labels[plan.labels.index(label)].wakeup, 0.5)
    if found is None:
        raise Unavailable("no-costs", f"what a switch costs could not be measured: {label} was never woken")
    return found


def _work(play: Play, cpus: int) -> float:
    builder = PlanBuilder()
    for cpu in range(cpus):
        builder.task(f"worker-{cpu}", (Instruction(Op.RUN, WORK_NS),), label="alone", cpuset=builder.cpuset([cpu]))
    tasks = play(builder.plan(seed=1)).tasks
    return (max(task.completion_ns for task in tasks) - min(task.first_run_ns for task in tasks)) / WORK_NS
