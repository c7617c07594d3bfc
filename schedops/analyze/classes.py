"""Figures to workload classes, each with the figures that decided it. Pure.

The names are those that policies of the library list under ``classes``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schedops.model.profile import ClassFinding, Figure

IDLE_BELOW = 0.1  # of the CPUs' time
CPU_BOUND_BLOCKED = 0.25  # jobs that block for less of their life compute; starting and reaping them counts as blocked
CPU_BOUND_BUSY = 0.5
UNEVEN_RATIO = 3.0  # longest job by the median one; lengths that only vary (log-normal, 30 %) stay below
WAKEUP_CPU_MS = 2.0  # CPU time between two wake-ups
GROUPS_SHARE = 0.5


def classify(figures: Sequence[Figure]) -> tuple[ClassFinding, ...]:
    """One or more classes, most specific first; ``mixed`` when no rule speaks.

    - ``idle``: next to no CPU time; nothing else is said then.
    - ``saturating-groups``: two or more groups in cgroups of their own, at least half of them waiting for CPUs.
    - ``uneven-batch``: one group, CPU-bound, the longest job at least three times the median one.
    - ``even-batch``: one group, CPU-bound, otherwise.
    - ``wakeup-heavy``: jobs sleep, wake often and compute little each time.
    - ``cpu-bound``: jobs hardly block and keep the CPUs busy.

    :raises KeyError: a figure of :func:`schedops.analyze.figures.figures_of` is missing.
    """
    by_name = {figure.name: figure.value for figure in figures}
    if by_name["parallelism"] < IDLE_BELOW:
        return (ClassFinding(name="idle", because=f"jobs use {by_name['parallelism']:.0%} of the CPUs' time"),)
    found = [finding for rule in (_groups, _batch, wakeup_heavy, cpu_bound) if (finding := rule(by_name))]
    return tuple(found) or (ClassFinding(name="mixed", because="no other class fits"),)


def _groups(figures: Mapping[str, float]) -> ClassFinding | None:
    share, groups = figures["saturating_groups"], figures["groups"]
    if groups < 2 or share < GROUPS_SHARE:
        return None
    because = (
        f"{round(share * groups)} of {groups:.0f} groups in cgroups of their own have more work than CPUs: "
        f"jobs are runnable without running for {figures['runnable_share']:.0%} of their life"
    )
    return ClassFinding(name="saturating-groups", because=because)


def _batch(figures: Mapping[str, float]) -> ClassFinding | None:
    if figures["groups"] != 1 or figures["jobs"] < 2 or not _computes(figures):
        return None
    ratio = figures["longest_to_median"]
    name = "uneven-batch" if ratio >= UNEVEN_RATIO else "even-batch"
    because = f"one group of {figures['jobs']:.0f} CPU-bound jobs, the longest takes {ratio:.1f} times the median one"
    return ClassFinding(name=name, because=because)


def wakeup_heavy(figures: Mapping[str, float]) -> ClassFinding | None:
    """``wakeup-heavy``, or None."""
    if figures["cpu_ms_per_wakeup"] >= WAKEUP_CPU_MS or figures["blocked_share"] < CPU_BOUND_BLOCKED:
        return None
    because = (
        f"{figures['wakeups_per_s']:.0f} wake-ups/s with {figures['cpu_ms_per_wakeup']:.2f} ms of CPU time each, "
        f"blocked for {figures['blocked_share']:.0%} of their life"
    )
    return ClassFinding(name="wakeup-heavy", because=because)


def cpu_bound(figures: Mapping[str, float]) -> ClassFinding | None:
    """``cpu-bound``, or None."""
    if not _computes(figures):
        return None
    blocked, busy = figures["blocked_share"], figures["parallelism"]
    because = f"jobs block for {blocked:.0%} of their life and keep the CPUs {busy:.0%} busy"
    return ClassFinding(name="cpu-bound", because=because)


def _computes(figures: Mapping[str, float]) -> bool:
    return figures["blocked_share"] < CPU_BOUND_BLOCKED and figures["parallelism"] >= CPU_BOUND_BUSY
