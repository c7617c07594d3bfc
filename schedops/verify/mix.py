"""The load a policy has to live through: every kind of task that a policy of a few lines tends to forget."""

from __future__ import annotations

from schedops.model.guest import LoadGroup

DURATION_MS = 2600


def mixed(cpus: int) -> tuple[LoadGroup, ...]:
    """More runnable tasks than CPUs; niced, bound to one CPU (the first and the last), sleeping, forking."""
    return (
        LoadGroup(name="hogs", kind="hog", count=cpus),
        LoadGroup(name="niced hogs", kind="hog", count=1, nice=5),
        LoadGroup(name="very niced hogs", kind="hog", count=1, nice=15),
        LoadGroup(name="favoured hogs", kind="hog", count=1, nice=-5),
        LoadGroup(name="hogs on the first CPU", kind="hog", count=1, cpus=(0,)),
        LoadGroup(name="hogs on the last CPU", kind="hog", count=1, cpus=(cpus - 1,)),
        LoadGroup(name="sleepers", kind="sleeper", count=4, work_us=500, sleep_us=5000),
        LoadGroup(name="sleepers on the last CPU", kind="sleeper", count=1, cpus=(cpus - 1,)),
        LoadGroup(name="a crowd of sleepers", kind="sleeper", count=32, work_us=200, sleep_us=50000),
        LoadGroup(name="forkers", kind="forker", count=2, work_us=500, sleep_us=5000),
    )
