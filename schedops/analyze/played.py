"""One play of any workload to figures: what the tasks' own accounting shows, by themselves and by class. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.analyze.figure import figure
from schedops.analyze.figures import WAITING_SHARE
from schedops.analyze.roles import Played, life_ns, tasks_of
from schedops.model.guest import PlayReading
from schedops.model.profile import Figure, TaskClassFigures
from schedops.model.simulation import SimPlan
from schedops.stats.summary import median

ROLE_SHARE = 0.05  # of the CPU time; whoever takes less does not make the workload what it is
FEW_WAKEUPS = 10  # shares of so many and fewer say little: who waits for a page is woken by whoever brings it
_SCHEDSTAT = "/proc/PID/schedstat"


def played_figures(
    plan: SimPlan, reading: PlayReading, classes: Sequence[TaskClassFigures], cpus: int
) -> tuple[Figure, ...]:
    """All figures of a play, in the order of the profile's table. What cannot be told is left out, never zero.

    :param classes: of :func:`schedops.analyze.roles.task_classes`.
    """
    there = tasks_of(plan, reading)
    return (
        *_counts(there),
        *_shares(there, reading, cpus),
        *_lengths(plan, there, classes),
        *_groups(there, reading.result.end_ns),
        *_by_role(classes),
        *_requests(plan, reading, classes),
    )


def _counts(there: Sequence[Played]) -> list[Figure]:
    return [
        figure("tasks", len(there), "tasks", "that came"),
        figure("groups", len({task.cgroup for task in there if task.cgroup}), "groups", "cgroups with tasks"),
        figure("starters", sum(bool(task.starts) for task in there), "tasks", "that started others: process tree"),
    ]


def _shares(there: Sequence[Played], reading: PlayReading, cpus: int) -> list[Figure]:
    end_ns = reading.result.end_ns
    cpu, wait = (sum(getattr(task.result, name) for task in there) for name in ("cpu_ns", "wait_ns"))
    life = max(1, sum(life_ns(task.result, end_ns) for task in there))
    wakeups = sum(task.result.wakeups for task in there)
    ended = sum(task.result.cpu_ns for task in there if task.result.completion_ns >= 0)
    seconds = max(1, end_ns) / 1e9
    return [
        figure("run_ms", end_ns / 1e6, "ms", "begin to end of the run, the guest's clock"),
        figure("parallelism", cpu / max(1, end_ns) / cpus, "share", "CPU time of the tasks by time and CPUs"),
        figure("runnable_share", wait / life, "share", f"runnable without running, {_SCHEDSTAT}, of their life"),
        figure("blocked_share", max(0.0, 1 - (cpu + wait) / life), "share", "of their life neither of the two"),
        figure("ended_share", ended / max(1, cpu), "share", "CPU time of tasks that ended before the run did"),
        figure("wakeups_per_s", wakeups / seconds, "1/s", "times that tasks began or went on after blocking"),
        figure("cpu_ms_per_wakeup", cpu / 1e6 / max(1, wakeups), "ms", "CPU time by these"),
    ]


def _lengths(plan: SimPlan, there: Sequence[Played], classes: Sequence[TaskClassFigures]) -> list[Figure]:
    jobs = {one.name for one in classes if one.role == "job"}
    cpu = [t.result.cpu_ns for t in there if plan.labels[t.label] in jobs and t.result.completion_ns >= 0]
    if not cpu:
        return []
    ratio = max(cpu) / max(1.0, median(cpu))
    return [figure("longest_to_median", ratio, "ratio", "CPU time of the longest job by that of the median one")]


def _groups(there: Sequence[Played], end_ns: int) -> list[Figure]:
    groups = sorted({task.cgroup for task in there if task.cgroup})
    if not groups:
        return []
    waiting = 0
    for group in groups:
        results = [task.result for task in there if task.cgroup == group]
        life = sum(life_ns(result, end_ns) for result in results)
        waiting += sum(result.wait_ns for result in results) > WAITING_SHARE * max(1, life)
    how = f"cgroups whose tasks wait for a CPU for more than {WAITING_SHARE:.0%} of their life"
    return [figure("saturating_groups", waiting / len(groups), "share", how)]


def _by_role(classes: Sequence[TaskClassFigures]) -> list[Figure]:
    total = sum(one.cpu_ms for one in classes)
    if not total:
        return []
    found = []
    for role in ("job", "starter", "hog", "served", "timed", "sleeper"):
        share = sum(one.cpu_ms for one in classes if one.role == role) / total
        if role in {"job", "starter", "hog"} or share:
            found.append(figure(f"{role}_cpu_share", share, "share", f"CPU time of the tasks whose role is {role}"))
    work = sum(one.cpu_ms for one in classes if one.role in {"job", "starter"}) / total
    found.append(figure("work_cpu_share", work, "share", "CPU time of jobs and of what starts them"))
    kinds = {
        "sleeper" if one.role in {"timed", "served"} else one.role for one in classes if one.cpu_ms > ROLE_SHARE * total
    }
    found.append(
        figure("roles", len(kinds), "roles", f"of tasks, with more than {ROLE_SHARE:.0%} of the CPU time each")
    )
    found += _bursts(classes)
    return found


def _bursts(classes: Sequence[TaskClassFigures]) -> list[Figure]:
    found = []
    bursts = [(one.burst_p50_us, one.cpu_ms) for one in classes if one.burst_p50_us is not None]
    if bursts:
        mean = sum(us * cpu for us, cpu in bursts) / max(1e-9, sum(cpu for _, cpu in bursts))
        how = "probes: median CPU time between two sleeps of each class, weighted by its CPU time"
        found.append(figure("typical_burst_ms", mean / 1000, "ms", how))
    timed = [(one.burst_p50_us, one.wakeups) for one in classes if one.role == "timed" and one.burst_p50_us is not None]
    if timed:
        mean = sum(us * wakeups for us, wakeups in timed) / max(1, sum(wakeups for _, wakeups in timed))
        how = "probes: the same of tasks that timers wake, weighted by their wake-ups"
        found.append(figure("timed_burst_ms", mean / 1000, "ms", how))
    return found


def _requests(plan: SimPlan, reading: PlayReading, classes: Sequence[TaskClassFigures]) -> list[Figure]:
    counts = [sum(count for _, count in label.request.counts) for label in reading.result.labels]
    if not sum(counts):
        return []
    reporting = {name for name, count in zip(plan.labels, counts, strict=True) if count}
    rows = [one for one in classes if one.name in reporting]
    total = max(1e-9, sum(one.cpu_ms for one in classes))
    seconds = max(1, reading.result.end_ns) / 1e9
    share = sum(one.cpu_ms for one in rows) / total
    found = [
        figure("requests_per_s", sum(counts) / seconds, "1/s", "requests that the tasks themselves report"),
        figure("request_cpu_share", share, "share", "CPU time of the classes of tasks that report requests"),
    ]
    woken = [
        one.woken_by_tasks * one.wakeups / (one.wakeups + FEW_WAKEUPS) for one in rows if one.woken_by_tasks is not None
    ]
    if woken:
        most = max(woken)
        how = f"probes: wake-ups by other tasks, of those of what reports requests and {FEW_WAKEUPS} more"
        found.append(figure("request_handed_over", most, "share", how))
    return found
