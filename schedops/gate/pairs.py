"""Raw samples in, the change of one metric between two arms out: one pair per round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schedops.model.measurements import Measurements, Sample
from schedops.stats.interval import paired_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of a metric from a baseline to an arm, as fractions of the baseline; negative = smaller.

    :param problem: why the metric could not be compared at all; then nothing else counts.
    """

    pairs: int = 0
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One metric of two arms, a pair a round, by rising round.

    :param logs: ln(arm / baseline).
    :param later: whether the arm ran after the baseline in that round.
    :param problem: why the metric could not be compared at all; then there are no logs.
    """

    count: int = 0
    logs: tuple[float, ...] = ()
    later: tuple[bool, ...] = ()
    problem: str = ""


def compare(
    measurements: Measurements, metric: str, *, unit: str, arm: str, baseline: str, confidence: float
) -> Change:
    """The change of :func:`pair_up`'s pairs, with its interval."""
    pairs = pair_up(measurements, metric, unit=unit, arm=arm, baseline=baseline)
    if pairs.problem:
        return Change(pairs=pairs.count, problem=pairs.problem)
    interval = paired_interval(pairs.logs, confidence=confidence)
    return Change(
        pairs=interval.n,
        estimate=_fraction(interval.estimate),
        low=_fraction(interval.low),
        high=_fraction(interval.high),
    )


def pair_up(measurements: Measurements, metric: str, *, unit: str, arm: str, baseline: str) -> Pairs:
    """Pair *arm* with *baseline* within each round; an invalid or missing sample drops the pair of its round.

    A metric that a valid sample does not carry exactly once, in this unit, finite and above zero is a problem of the
    whole metric: dropping such pairs would choose the data by its outcome. So is a sample of another rung.
    """
    pairs = _pairs(measurements, arm, baseline)
    if not pairs:
        return Pairs(problem=f"no round has a valid pair of {arm} and {baseline}")
    if rungs := {rung_of(measurements, sample) for pair in pairs for sample in pair} - {measurements.rung}:
        return Pairs(count=len(pairs), problem=f"figures of {', '.join(sorted(rungs))} beside {measurements.rung}")
    if problem := _problem([sample for pair in pairs for sample in pair], metric, unit):
        return Pairs(count=len(pairs), problem=problem)
    return Pairs(
        count=len(pairs),
        logs=tuple(math.log(_value(new, metric) / _value(base, metric)) for new, base in pairs),
        later=tuple(new.order > base.order for new, base in pairs),
    )


def rung_of(measurements: Measurements, sample: Sample) -> str:
    """A sample is of the rung of its measurements unless it says otherwise."""
    return sample.rung or measurements.rung


def _pairs(measurements: Measurements, arm: str, baseline: str) -> list[tuple[Sample, Sample]]:
    new, base = _valid(measurements, arm), _valid(measurements, baseline)
    both = sorted({planned.round for planned in measurements.rounds} & new.keys() & base.keys())
    # Other seed, other jobs: no pair.
    return [(new[number], base[number]) for number in both if new[number].seed == base[number].seed]


def _valid(measurements: Measurements, arm: str) -> dict[int, Sample]:
    # A run that was not valid may have been repeated; of two valid ones nobody can say which counts.
    found: dict[int, list[Sample]] = {}
    for sample in measurements.samples:
        if sample.arm == arm and sample.valid:
            found.setdefault(sample.round, []).append(sample)
    return {number: samples[0] for number, samples in found.items() if len(samples) == 1}


def _problem(samples: Sequence[Sample], metric: str, unit: str) -> str:
    for sample in samples:
        values = [value for value in sample.metrics if value.metric == metric]
        if len(values) != 1:
            return f"round {sample.round}, {sample.arm}: metric {metric} was read {len(values)} times, not once"
        if values[0].unit != unit:
            return f"round {sample.round}, {sample.arm}: {metric} is in {values[0].unit}, the workload says {unit}"
        if not math.isfinite(values[0].value) or values[0].value <= 0:
            return f"round {sample.round}, {sample.arm}: {metric} is {values[0].value}, which has no ratio"
    return ""


def _value(sample: Sample, metric: str) -> float:
    return next(value.value for value in sample.metrics if value.metric == metric)


def _fraction(log_ratio: float | None) -> float | None:
    return None if log_ratio is None else math.expm1(log_ratio)
