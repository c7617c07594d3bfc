"""Bounds that a workload kept in one run, with a margin: what an SLO could begin with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from schedops.model.measurements import MetricValue
from schedops.model.profile import SloCandidate
from schedops.model.workload import Workload

MARGIN = 0.25  # one run knows little of how much runs differ
_TAILS = ("request_p99_us", "wakeup_p99_us", "makespan_ms", "all_done_ms", "mean_build_time_ms")


def candidate_slos(workload: Workload, metrics: Sequence[MetricValue], *, whole: bool) -> tuple[SloCandidate, ...]:
    """Of the workload's objectives, and of the tails that every workload of its kind has.

    :param metrics: of one run under the default scheduler.
    :param whole: of all of the workload; how long a smaller one takes says nothing about it.
    """
    better = {one.metric: one.direction for one in workload.guards}
    better |= {one.metric: one.direction for one in workload.objectives}
    wanted = {*_TAILS, *(one.metric for one in workload.objectives)}
    return tuple(
        _candidate(one, better.get(one.metric, "lower"))
        for one in metrics
        if one.metric in wanted and one.value > 0 and (whole or one.unit != "ms")
    )


def _candidate(one: MetricValue, direction: str) -> SloCandidate:
    bound = one.value * (1 + MARGIN) if direction == "lower" else one.value / (1 + MARGIN)
    because = f"{one.value:.4g} {one.unit} in one run under the default scheduler, and a margin of {MARGIN:.0%}"
    return SloCandidate(metric=one.metric, unit=one.unit, direction=direction, bound=_short(bound), because=because)


def _short(value: float) -> float:
    """Two significant digits."""
    return round(value, 1 - floor(log10(value)))
