"""Small plans that use every step, for the player."""

from __future__ import annotations

from collections.abc import Iterable

from schedops.model.simulation import Instruction, Op, Program, SimCgroup, SimPlan, SimTask, Sync, SyncKind

US, MS = 1_000, 1_000_000


def step(op: Op, a: int = 0, b: int = 0, c: int = 0) -> Instruction:
    return Instruction(op, a, b, c)


def looped(body: Iterable[Instruction], times: int) -> Program:
    return (*body, step(Op.LOOP, 0, times))


def plan_of(programs: Iterable[Iterable[Instruction]], syncs: Iterable[Sync] = (), **other) -> SimPlan:
    """A task for each program, with a label of its own."""
    kept = tuple(tuple(program) for program in programs)
    tasks = tuple(SimTask(name=f"t{at}", program=at, label=at) for at in range(len(kept)))
    labels = tuple(f"l{at}" for at in range(len(kept)))
    return SimPlan(**{"seed": 7, "tasks": tasks, "programs": kept, "labels": labels, "syncs": tuple(syncs), **other})


def handing_over(times: int) -> SimPlan:
    """Two that give each other a token."""
    there, back = Sync(kind=SyncKind.SEMAPHORE), Sync(kind=SyncKind.SEMAPHORE)
    first = looped((step(Op.POST, 0), step(Op.RUN, 20 * US), step(Op.WAIT, 1)), times)
    second = looped((step(Op.WAIT, 0), step(Op.RUN, 20 * US), step(Op.POST, 1)), times)
    return plan_of((first, second), (there, back))


def locking(times: int, *, free: bool) -> SimPlan:
    """Four that want one lock, and meet at a barrier each time."""
    syncs = (Sync(kind=SyncKind.LOCK, value=int(free)), Sync(kind=SyncKind.BARRIER, value=4))
    inside = (step(Op.LOCK, 0), step(Op.RUN, 100 * US), step(Op.UNLOCK, 0))
    return plan_of([looped((*inside, step(Op.RUN, 50 * US), step(Op.BARRIER, 1)), times)] * 4, syncs)


def messages(count: int, capacity: int) -> SimPlan:
    """One that sends, one that reads; a message's time is the reader's request."""
    queue = Sync(kind=SyncKind.QUEUE, value=capacity)
    send = looped((step(Op.RUN, 5 * US), step(Op.SEND, 0)), count)
    read = looped((step(Op.RECV, 0), step(Op.RUN, 10 * US), step(Op.END)), count)
    return plan_of((send, read), (queue,))


def waiting_for_events(times: int) -> SimPlan:
    """One is resumed, with its lock, by another that takes the lock to do so."""
    syncs = (Sync(kind=SyncKind.LOCK), Sync(kind=SyncKind.EVENT), Sync(kind=SyncKind.SEMAPHORE))
    waiter = looped((step(Op.LOCK, 0), step(Op.POST, 2), step(Op.SUSPEND, 1, 1), step(Op.UNLOCK, 0)), times)
    waker = looped((step(Op.WAIT, 2), step(Op.LOCK, 0), step(Op.SIGNAL, 1), step(Op.UNLOCK, 0)), times)
    return plan_of((waiter, waker), syncs)


def drawing(times: int) -> SimPlan:
    """Three whose requests sleep for nothing or for 30 ms, as they draw."""
    request = (step(Op.BEGIN), step(Op.SLEEP_TABLE, 0), step(Op.END), step(Op.RUN_TABLE, 1))
    return plan_of([looped(request, times)] * 3, tables=((0, 0, 30 * MS), (10 * US, 2 * MS)), seed=20_261_121)


def crowd(count: int) -> SimPlan:
    """So many that wait for each other before they work."""
    meet = (step(Op.BARRIER, 0), step(Op.RUN, 20 * US))
    tasks = tuple(SimTask(name="one", program=0) for _ in range(count))
    return plan_of((meet,), (Sync(kind=SyncKind.BARRIER, value=count),), tasks=tasks)


def everything() -> SimPlan:
    """Forks, timers, nice values, CPUs, yields, cgroups and jumps."""
    family = (step(Op.FORK, 1, 3), step(Op.WAIT, 0, 3))
    child = (step(Op.NICE, 5), step(Op.AFFINITY, 0), step(Op.RUN, 2 * MS), step(Op.YIELD), step(Op.POST, 0))
    clock = (*looped((step(Op.TIMER, 2 * MS, 1), step(Op.BEGIN), step(Op.RUN, 100 * US), step(Op.END)), 5),)
    skips = (step(Op.JUMP, 2), step(Op.RUN, 3600 * 1000 * MS), step(Op.SLEEP, 3 * MS))
    tasks = (
        SimTask(name="family", program=0),
        *(SimTask(name="child", program=1, arrival_ns=-1, cgroup=at) for at in (0, 1, 3)),
        SimTask(name="clock", program=2, label=1, arrival_ns=3 * MS, nice=-5),
        SimTask(name="skips", program=3, cpuset=0, cgroup=3, hint_ns=MS, ext=True),
    )
    cgroups = (
        SimCgroup(name="/", parent=-1),
        SimCgroup(name="a", weight=50),
        SimCgroup(name="b"),
        SimCgroup(name="c", parent=2),
    )
    return plan_of(
        (family, child, clock, skips),
        (Sync(kind=SyncKind.SEMAPHORE),),
        tasks=tasks,
        labels=("others", "clock"),
        cgroups=cgroups,
        cpusets=((0,),),
    )
