"""What a recording of scheduling events does not tell, however it was made. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedops.model.profile import Figure, Missing, TaskClassFigures

_NOT_RECORDED = ("pressure, cgroups, faults", "requests", "cycles, instructions, cache misses")
_BY_WAKER = {"served", "timed"}


def not_recorded(*, lost: bool, interrupts: bool) -> tuple[Missing, ...]:
    """:param lost: events are missing; *interrupts*: it says which wake-ups came from interrupts."""
    found = [Missing(what=what, reason="not in a recording of scheduling events") for what in _NOT_RECORDED]
    if lost:
        reason = "the recording itself says that some were lost: its buffers were too small"
        found.append(Missing(what="some events", reason=reason))
    if not interrupts:
        reason = (
            "it has no flags of interrupts, as with perf: what a timer wakes counts as woken by whatever task it"
            " interrupted; ftrace, `trace-cmd report -l` and Perfetto have them"
        )
        found.append(Missing(what="which wake-ups are by timers or devices", reason=reason))
    return tuple(found)


def without_wakers(rows: Sequence[TaskClassFigures]) -> tuple[TaskClassFigures, ...]:
    """What tasks do where nobody knows which of their wake-ups came from interrupts."""
    return tuple(
        replace(one, woken_by_tasks=None, role="sleeper" if one.role in _BY_WAKER else one.role) for one in rows
    )


def without_timers(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """The same of figures."""
    return tuple(one for one in figures if one.name != "timer_wakeup_share")
