"""The loads a policy has to live through: every kind of task that a policy of a few lines tends to forget."""

from __future__ import annotations

from schedops.model.guest import HotplugStep, LoadGroup, LoadPlan
from schedops.verify.dynamic.limits import MIN_ENQUEUES

QUICK_MS = 2000
MIXED_MS = 2300
CROWD_MS = CHANGES_MS = 3300  # longer than the wait that is allowed
STORM_MS = 1500
MAX_STORM_MS = 40_000
TRY_STORM_MS = 6000  # ten times as long as it takes when nobody is told to go on
SHARE_MS = 2000
BRIEF_SHARE_MS = 900
KINDRED_MS = 900
ALONE_MS = AFTER_MS = 2300  # each longer than the wait that is allowed

EQUAL = "equal hogs"
AWAKE = "sleepers among hogs"
HOGS, FAVOURED, VERY_NICED = "hogs", "favoured hogs", "very niced hogs"
NICE_0, NICE_5 = "hogs of nice 0", "hogs of nice 5"
LATE, FAVOURED_LATE, NICED_LATE = "latecomers", "favoured latecomers", "niced latecomers"
HEAVY, LIGHT = "a hog in a heavy cgroup", "a hog in a light cgroup"


def mixed(cpus: int, duration_ms: int = MIXED_MS) -> LoadPlan:
    """More runnable tasks than CPUs; niced, bound to one CPU (the first and the last), sleeping, forking."""
    return LoadPlan(groups=_mixed(cpus), duration_ms=duration_ms)


def crowd(cpus: int) -> LoadPlan:
    """Many more tasks than any small table holds, queued at once: 54 hogs delay 256 that wake up together."""
    last = (cpus - 1,)
    groups = (
        LoadGroup(name=EQUAL, kind="hog", count=40),
        LoadGroup(name="niced hogs", kind="hog", count=6, nice=5),
        LoadGroup(name="very niced hogs", kind="hog", count=2, nice=10),
        LoadGroup(name="hogs on the first CPU", kind="hog", count=2, cpus=(0,)),
        LoadGroup(name="hogs on the last CPU", kind="hog", count=2, cpus=last),
        LoadGroup(name="hogs in a cgroup of their own", kind="hog", count=2, weight=100),
        LoadGroup(name="sleepers", kind="sleeper", count=200, work_us=100, sleep_us=1_000_000),
        LoadGroup(name="niced sleepers", kind="sleeper", count=40, nice=5, work_us=100, sleep_us=1_000_000),
        LoadGroup(
            name="sleepers on the last CPU", kind="sleeper", count=16, cpus=last, work_us=100, sleep_us=1_000_000
        ),
    )
    return LoadPlan(groups=groups, duration_ms=CROWD_MS)


def storm(cpus: int, of_program: str, *, yields: bool = True) -> LoadPlan:
    """Nobody runs for long, so that enqueue is called as often as can be; until it has been, by the kernel's count.

    All are bound: tasks that may run anywhere make CPUs wait for each other's run queues, which is slow when the host
    has stopped one of them, and looks as if the policy were.

    :param of_program: the program of ``enqueue``; empty: there is none, and the storm has a fixed length.
    :param yields: ``sched_yield`` ends a turn. Not so where the policy has a callback of its own for it, or lets the
        task go on; then pipes have to do, which are slower.
    """
    kind, first, last = "yielder" if yields else "pipe", (0,), (cpus - 1,)
    groups = (
        LoadGroup(name=f"{kind}s on the first CPU", kind=kind, count=4, cpus=first, work_us=0),
        LoadGroup(name=f"{kind}s on the last CPU", kind=kind, count=4, cpus=last, work_us=0),
        LoadGroup(name=f"niced {kind}s", kind=kind, count=2, nice=5, cpus=last, work_us=0),
        LoadGroup(name="pipe ends", kind="pipe", count=2, cpus=first, work_us=0),
        LoadGroup(name="sleepers", kind="sleeper", count=2, work_us=50, sleep_us=5000),
    )
    until = MIN_ENQUEUES if of_program else 0
    return LoadPlan(
        groups=groups,
        duration_ms=STORM_MS,
        until_runs=until,
        of_program=of_program,
        max_ms=(TRY_STORM_MS if yields else MAX_STORM_MS) if until else 0,
        program_stats=True,
    )


def changes(cpus: int) -> LoadPlan:
    """The mix, and with it tasks that change, or are changed, while they run and while they are queued."""
    groups = (
        *_mixed(cpus, very_niced=10),  # among so many others nice 15 may wait for seconds, by its weight
        LoadGroup(name="execers", kind="execer", count=2, work_us=500, sleep_us=5000),
        LoadGroup(name="niced forkers", kind="forker", count=1, nice=5, work_us=500, sleep_us=5000),
        # Each pair begins on one CPU, where they wake each other without end: those in a queue have to get between.
        LoadGroup(name="pipe ends from the first CPU", kind="pipe", count=2, start_on=(0,), work_us=100),
        LoadGroup(name="pipe ends from the last CPU", kind="pipe", count=2, start_on=(cpus - 1,), work_us=100),
        LoadGroup(name="movers", kind="mover", count=3, work_us=300),
        LoadGroup(name="renicers", kind="renicer", count=3, work_us=300),
        LoadGroup(name="stopped tasks", kind="stopped", count=2, sleep_us=20_000),
        LoadGroup(name="traced tasks", kind="traced", count=1, sleep_us=20_000),
        LoadGroup(name="yielders", kind="yielder", count=2, work_us=200),
        LoadGroup(name="hogs in a cgroup of their own", kind="hog", count=1, weight=100),
        LoadGroup(name="sleepers in a cgroup of their own", kind="sleeper", count=2, weight=50),
    )
    return LoadPlan(groups=groups, duration_ms=CHANGES_MS, program_stats=True)


def bunched(cpus: int, duration_ms: int = SHARE_MS, start_on: int = 0) -> LoadPlan:
    """Twice as many equal hogs as CPUs, all on one CPU when they are let loose, and some that answer."""
    groups = (
        LoadGroup(name=EQUAL, kind="hog", count=2 * cpus, start_on=(start_on,)),
        LoadGroup(name=AWAKE, kind="sleeper", count=4, work_us=200, sleep_us=10_000),
    )
    return LoadPlan(groups=groups, duration_ms=duration_ms, program_stats=True)


def dropped(cpus: int) -> LoadPlan:
    """Hogs that start on the first CPU, and nothing else that wakes the others: they have to be told."""
    hogs = LoadGroup(name=EQUAL, kind="hog", count=2 * cpus, start_on=(0,))
    return LoadPlan(groups=(hogs,), duration_ms=BRIEF_SHARE_MS, quiet=True)


def kindred(cpus: int) -> LoadPlan:
    """On each of two CPUs, only tasks of one nice value: a queue for them is never looked at for the others' sake."""
    groups = (
        LoadGroup(name="favoured hogs on the first CPU", kind="hog", count=2, nice=-5, cpus=(0,)),
        LoadGroup(name="niced hogs on the last CPU", kind="hog", count=2, nice=10, cpus=(cpus - 1,)),
    )
    return LoadPlan(groups=groups[:cpus], duration_ms=KINDRED_MS)


def late(cpus: int) -> LoadPlan:
    """First no more tasks than CPUs: each is the last one on its CPU whenever its slice ends. Then others wake up that
    have slept all the time: who is owed what by now? All are outside of cgroups: the jobs are within.
    """
    bound = tuple(
        LoadGroup(name=f"a lone hog on CPU {cpu}", kind="hog", count=1, cpus=(cpu,), outside=True)
        for cpu in (0, cpus - 1)
    )
    late = tuple(
        LoadGroup(name=name, kind="latecomer", count=count, nice=nice, sleep_us=ALONE_MS * 1000, outside=True)
        for name, count, nice in ((LATE, 2 * cpus - 2, 0), (FAVOURED_LATE, 1, -5), (NICED_LATE, 1, 10))
    )
    return LoadPlan(groups=(*bound[:cpus], *(group for group in late if group.count)), duration_ms=ALONE_MS + AFTER_MS)


def jobs(cpus: int) -> LoadPlan:
    """What builds and batches are to a policy that knows cgroups or hints: jobs that say how long they will take."""
    groups = (
        LoadGroup(name="short jobs", kind="hog", count=cpus, weight=100, hint_us=100_000),
        LoadGroup(name="a long job", kind="hog", count=1, weight=100, hint_us=20_000_000),
        LoadGroup(name="jobs of another build", kind="hog", count=cpus, weight=100, hint_us=1_000_000),
        LoadGroup(name="a job without a hint", kind="hog", count=1, weight=100),
        LoadGroup(name="a hog outside of all builds", kind="hog", count=1, outside=True),
        LoadGroup(name="sleepers outside of all builds", kind="sleeper", count=2, outside=True),
    )
    return LoadPlan(groups=groups, duration_ms=CHANGES_MS)


def pair() -> LoadPlan:
    """Two hogs of different weight with a CPU for themselves: the one that is coming off is weighed, or is not."""
    return _on_one_cpu(1)


def several() -> LoadPlan:
    """As :func:`pair`, three of each."""
    return _on_one_cpu(3)


def two_cgroups() -> LoadPlan:
    """Two equal hogs on one CPU, in cgroups above and below the usual weight of 100."""
    groups = (
        LoadGroup(name=HEAVY, kind="hog", count=1, cpus=(0,), weight=150),
        LoadGroup(name=LIGHT, kind="hog", count=1, cpus=(0,), weight=50),
    )
    return LoadPlan(groups=groups, duration_ms=SHARE_MS)


def hotplug(cpus: int, *, stays: bool) -> LoadPlan:
    """The last CPU goes and comes back under load.

    :param stays: the policy is to live on; else it may leave, and it is enough to see how.
    """
    away, back, end = (400, 2700, 5000) if stays else (300, 900, 1500)
    steps = (HotplugStep(at_ms=away, cpu=cpus - 1, online=False), HotplugStep(at_ms=back, cpu=cpus - 1, online=True))
    groups = (
        LoadGroup(name="hogs", kind="hog", count=2 * cpus),
        LoadGroup(name="niced hogs", kind="hog", count=1, nice=5),
        LoadGroup(name="hogs on the first CPU", kind="hog", count=1, cpus=(0,)),
        LoadGroup(name="sleepers", kind="sleeper", count=4, work_us=500, sleep_us=5000),
        LoadGroup(name="a crowd of sleepers", kind="sleeper", count=16, work_us=200, sleep_us=50_000),
        LoadGroup(name="forkers", kind="forker", count=1, work_us=500, sleep_us=5000),
    )
    return LoadPlan(groups=groups, duration_ms=end, hotplug=steps if cpus > 1 else (), stay_through_loss=not stays)


def _on_one_cpu(each: int) -> LoadPlan:
    groups = (
        LoadGroup(name=NICE_0, kind="hog", count=each, cpus=(0,)),
        LoadGroup(name=NICE_5, kind="hog", count=each, nice=5, cpus=(0,)),
    )
    return LoadPlan(groups=groups, duration_ms=SHARE_MS)


def _mixed(cpus: int, very_niced: int = 15) -> tuple[LoadGroup, ...]:
    last = (cpus - 1,)
    return (
        LoadGroup(name=HOGS, kind="hog", count=cpus),
        LoadGroup(name="niced hogs", kind="hog", count=1, nice=5),
        LoadGroup(name=VERY_NICED, kind="hog", count=1, nice=very_niced),
        LoadGroup(name=FAVOURED, kind="hog", count=1, nice=-5),
        LoadGroup(name="hogs on the first CPU", kind="hog", count=1, cpus=(0,)),
        LoadGroup(name="hogs on the last CPU", kind="hog", count=1, cpus=last),
        LoadGroup(name="sleepers", kind="sleeper", count=4, work_us=500, sleep_us=5000),
        LoadGroup(name="sleepers on the last CPU", kind="sleeper", count=1, cpus=last, work_us=500, sleep_us=5000),
        LoadGroup(name="a crowd of sleepers", kind="sleeper", count=32, work_us=200, sleep_us=50_000),
        LoadGroup(name="forkers", kind="forker", count=2, work_us=500, sleep_us=5000),
        LoadGroup(name="a hog outside of all cgroups", kind="hog", count=1, outside=True),
        LoadGroup(name="sleepers outside of all cgroups", kind="sleeper", count=2, outside=True),
        *_on_some(cpus),
    )


def _on_some(cpus: int) -> tuple[LoadGroup, ...]:
    """Tasks that may use some CPUs, and not all: with two there is no such thing."""
    if cpus < 3:
        return ()
    some = (0, cpus - 1)
    return (
        LoadGroup(name="hogs on the first and the last CPU", kind="hog", count=1, cpus=some),
        LoadGroup(name="sleepers on the first and the last CPU", kind="sleeper", count=2, cpus=some),
    )
