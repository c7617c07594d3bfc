"""Runs of a candidate beside the default scheduler to one number that a search makes small. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schedops.model.search import SearchFigure
from schedops.model.workload import Objective, Workload
from schedops.stats.summary import median

BROKEN_WEIGHT = 10.0  # one per cent beyond what is allowed outweighs ten of an objective
Metrics = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Value:
    """:param value: None where an objective has no figure; then nothing can be said for the candidate.

    :param gain: mean of ln(new / default) over the objectives, turned so that negative is better.
    """

    value: float | None
    gain: float | None
    broken: float
    figures: tuple[SearchFigure, ...]


def value_of(workload: Workload, base: Sequence[Metrics], informed: Sequence[Metrics], new: Sequence[Metrics]) -> Value:
    """What the gate will ask, as a number: better than the default, and nowhere worse than it or the informed one.

    :param base: metrics of the default scheduler, one mapping a seed; *informed* (empty: nothing is known of it) and
        *new* on the same seeds.
    """
    objectives = [(one.metric, one.direction, _log_change(one.metric, base, new)) for one in workload.objectives]
    guards = [(one, _log_change(one.metric, base, new)) for one in workload.guards]
    figures = [_figure(metric, "objective", change) for metric, _, change in objectives if change is not None]
    figures += [_figure(one.metric, "guard", change) for one, change in guards if change is not None]
    turned = [_turned(change, direction) for _, direction, change in objectives if change is not None]
    if not turned or len(turned) < len(objectives):
        return Value(None, None, 0.0, tuple(figures))
    effects = [one.min_effect for one in workload.objectives]
    broken = sum(_beyond(change, effect) for change, effect in zip(turned, effects, strict=True))
    broken += sum(_behind_informed(one, informed, new) for one in workload.objectives) if informed else 0.0
    hard = [(one, change) for one, change in guards if one.hard and change is not None]
    broken += sum(_beyond(_turned(change, one.direction), one.max_harm) for one, change in hard)
    broken += _missed_slos(workload, base, new)
    gain = math.fsum(turned) / len(turned)
    return Value(gain + BROKEN_WEIGHT * broken, gain, broken, tuple(figures))


def per_seed(workload: Workload, base: Sequence[Metrics], new: Sequence[Metrics]) -> list[float]:
    """For each seed the mean over the objectives of ln(new / base), negative is better; seeds without are left out."""
    found = []
    for one, other in zip(base, new, strict=True):
        changes = [(_ratio(o.metric, one, other), o.direction) for o in workload.objectives]
        known = [_turned(change, direction) for change, direction in changes if change is not None]
        if known and len(known) == len(changes):
            found.append(math.fsum(known) / len(known))
    return found


def _behind_informed(one: Objective, informed: Sequence[Metrics], new: Sequence[Metrics]) -> float:
    change = _log_change(one.metric, informed, new)
    return _beyond(_turned(change, one.direction), one.min_effect) if change is not None else 0.0


def _missed_slos(workload: Workload, base: Sequence[Metrics], new: Sequence[Metrics]) -> float:
    # A bound that the default scheduler misses as well is not what tells candidates apart.
    missed = 0.0
    for slo in (one for one in workload.slos if one.hard):
        sides = [[run[slo.metric] for run in side if slo.metric in run] for side in (base, new)]
        if all(sides) and slo.bound > 0:
            theirs, ours = (_turned(math.log(max(median(side), 1e-12) / slo.bound), slo.direction) for side in sides)
            missed += max(0.0, ours) if theirs <= 0 else 0.0
    return missed


def _log_change(metric: str, base: Sequence[Metrics], new: Sequence[Metrics]) -> float | None:
    found = [_ratio(metric, one, other) for one, other in zip(base, new, strict=True)]
    known = [one for one in found if one is not None]
    return median(known) if known and len(known) == len(found) else None


def _ratio(metric: str, base: Metrics, new: Metrics) -> float | None:
    before, after = base.get(metric), new.get(metric)
    if before is None or after is None or before < 0 or after < 0:
        return None
    if before == after:
        return 0.0
    if not before or not after:  # a latency may be 0: as if the smallest one that is told apart
        smallest = 1e-3 * max(before, after)
        before, after = max(before, smallest), max(after, smallest)
    return math.log(after / before)


def _turned(change: float, direction: str) -> float:
    return change if direction == "lower" else -change


def _beyond(turned: float, allowed: float) -> float:
    return max(0.0, turned - math.log1p(allowed))


def _figure(metric: str, role: str, change: float) -> SearchFigure:
    return SearchFigure(metric=metric, role=role, change=round(math.expm1(change), 6))
