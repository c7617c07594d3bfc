"""One run's reading to figures, each with how it was measured. Pure."""

from __future__ import annotations

from schedops.analyze.figure import figure
from schedops.model.jobs import JobPlan, RunReading
from schedops.model.profile import Figure
from schedops.stats.summary import mean, median
from schedops.workloads.floor import floor_us

WAITING_SHARE = 0.2  # a group whose jobs wait for a CPU for more of their life than this has more work than CPUs


def figures_of(plan: JobPlan, reading: RunReading) -> tuple[Figure, ...]:
    """All figures of a run that ended well, in the order of the profile's table.

    :raises Unavailable: ``bad-reading``, see :func:`schedops.workloads.floor.floor_us`.
    """
    floor = floor_us(plan, reading, plan.cpus)
    return (
        *_counts(plan),
        *_job_figures(plan, reading),
        *_time_shares(plan, reading),
        *_group_figures(plan, reading, floor),
    )


def _counts(plan: JobPlan) -> tuple[Figure, ...]:
    return (
        figure("jobs", len(plan.jobs), "jobs", "launched"),
        figure("groups", len(plan.groups), "groups", "launched, each in a cgroup of its own"),
    )


def _job_figures(plan: JobPlan, reading: RunReading) -> tuple[Figure, ...]:
    cpu, seconds = reading.cpu_us, max(1, reading.wall_us) / 1e6
    work = sum(job.work for job in plan.jobs)
    middle = max(1.0, median(cpu))
    how = "user + system time of each job, wait4"
    return (
        figure("cpu_time_mean_ms", mean(cpu) / 1000, "ms", how),
        figure("cpu_time_total_ms", sum(cpu) / 1000, "ms", how),
        figure(
            "longest_to_median", max(cpu) / middle, "ratio", "CPU time of the longest job by that of the median one"
        ),
        figure("us_per_work", sum(cpu) / work, "us", "CPU time of all jobs by their loop iterations"),
        figure("wakeups_per_s", reading.wakeups / seconds, "1/s", "voluntary switches of jobs and launcher"),
        figure("context_switches_per_s", reading.context_switches / seconds, "1/s", "whole guest, /proc/stat"),
        figure("cpu_ms_per_wakeup", sum(cpu) / 1000 / max(1, reading.wakeups), "ms", "CPU time by voluntary switches"),
    )


def _time_shares(plan: JobPlan, reading: RunReading) -> tuple[Figure, ...]:
    life = max(1, sum(_lives(reading)))
    cpu, waiting = sum(reading.cpu_us), sum(reading.run_delay_us)
    blocked = max(0.0, 1 - (cpu + waiting) / life)
    busy = cpu / max(1, reading.wall_us) / plan.cpus
    return (
        figure(
            "runnable_share", waiting / life, "share", "time runnable but not running, /proc/PID/schedstat, of life"
        ),
        figure("blocked_share", blocked, "share", "life of the jobs less running and runnable time"),
        figure("parallelism", busy, "share", "CPU time of the jobs by wall time and CPUs"),
    )


def _group_figures(plan: JobPlan, reading: RunReading, floor: float) -> tuple[Figure, ...]:
    numbers = range(len(plan.groups))
    times = [_group_time_us(plan, reading, number) for number in numbers]
    saturating = [number for number in numbers if _waiting_share(plan, reading, number) > WAITING_SHARE]
    waits = f"groups whose jobs wait for more than {WAITING_SHARE:.0%} of their life"
    return (
        figure("saturating_groups", len(saturating) / len(plan.groups), "share", waits),
        figure("mean_group_time_ms", mean(times) / 1000, "ms", "arrival of a group to the end of its last job"),
        figure("mean_group_time_per_floor", mean(times) / floor, "ratio", "the same by the floor of this run"),
        figure("all_done_ms", max(reading.end_us) / 1000, "ms", "start of the run to the end of the last job"),
        figure("all_done_per_floor", max(reading.end_us) / floor, "ratio", "the same by the floor of this run"),
    )


def _group_time_us(plan: JobPlan, reading: RunReading, group: int) -> float:
    return max(reading.end_us[index] for index in _members(plan, group)) - plan.groups[group].arrival_us


def _waiting_share(plan: JobPlan, reading: RunReading, group: int) -> float:
    lives = _lives(reading)
    members = _members(plan, group)
    return sum(reading.run_delay_us[index] for index in members) / max(1, sum(lives[index] for index in members))


def _members(plan: JobPlan, group: int) -> list[int]:
    return [index for index, job in enumerate(plan.jobs) if job.group == group]


def _lives(reading: RunReading) -> list[int]:
    return [end - start for start, end in zip(reading.start_us, reading.end_us, strict=True)]
