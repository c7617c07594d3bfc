"""The shortest time in which the work of one run could have been done, from that run's own CPU times."""

from __future__ import annotations

from collections import defaultdict

from schedops.errors import Unavailable
from schedops.model.jobs import JobPlan, RunReading

_COLUMNS = ("start_us", "end_us", "cpu_us", "run_delay_us", "voluntary_switches", "involuntary_switches", "exit_codes")


def checked(plan: JobPlan, reading: RunReading) -> RunReading:
    """The reading, if it can be one of this plan. Readings come out of a guest.

    :raises Unavailable: ``bad-reading`` when a column has another length than the plan, when a job ended before its
        group arrived, or when no CPU time was measured.
    """
    for name in _COLUMNS:
        found = len(getattr(reading, name))
        if found != len(plan.jobs):
            raise Unavailable("bad-reading", f"the guest reported {name} of {found} jobs, {len(plan.jobs)} were run")
    early = sum(end < plan.groups[job.group].arrival_us for job, end in zip(plan.jobs, reading.end_us, strict=True))
    if early:
        raise Unavailable("bad-reading", f"the guest reported {early} jobs that ended before they could begin")
    if sum(reading.cpu_us) <= 0 or min(reading.cpu_us) < 0:
        raise Unavailable("bad-reading", "the guest reported no CPU time")
    return reading


def floor_us(plan: JobPlan, reading: RunReading, cpus: int) -> float:
    """max(longest chain of measured CPU time, total CPU time / *cpus*), microseconds.

    A chain is the longest job of each phase of a group, one after the other. Dividing a time by this floor takes the
    host's speed at that moment out of it; what it hides is CPU time itself, so that is a guard of its own.
    """
    longest: dict[tuple[int, int], int] = defaultdict(int)
    for job, cpu in zip(plan.jobs, checked(plan, reading).cpu_us, strict=True):
        place = (job.group, job.phase)
        longest[place] = max(longest[place], cpu)
    chain: dict[int, int] = defaultdict(int)
    for (group, _), cpu in longest.items():
        chain[group] += cpu
    return max(float(max(chain.values())), sum(reading.cpu_us) / cpus)
