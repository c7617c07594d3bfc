"""Results to scores. Pure: the same results give the same score, anywhere.

Score = sum over workloads of (sum over objectives of alpha x I) x [hard SLOs met] - lambda x budget overuse, after the
benchmark that SchedCP proposes (arXiv 2509.01245). I is baseline / policy where lower is better, else policy /
baseline. What was not measured is no result, and never counts as met or as 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schedops.errors import InputError
from schedops.model.environment import differences
from schedops.model.simulation import SimVerdict
from schedops.model.suite import (
    Budget,
    Improvement,
    SchedulerScore,
    SloJudgement,
    SuiteCell,
    SuiteGround,
    SuiteResults,
    SuiteScheduler,
    SuiteScore,
    SuiteWorkload,
    WorkloadScore,
)
from schedops.model.workload import Objective, Slo
from schedops.schema.canonical import digest_of
from schedops.stats.interval import paired_interval
from schedops.stats.summary import median
from schedops.suite.cells import check, grounds_of

CONFIDENCE = 0.95
LOWER = "lower"
_LEAST, _MOST = 1e-100, 1e100  # what is outside was not measured, and its ratios leave the range of numbers
_BROKE = (SimVerdict.EJECTED, SimVerdict.FAULT, SimVerdict.STUCK, SimVerdict.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How results are scored.

    :param alphas: (workload, metric) -> weight above 0; objectives that are not named weigh 1. The weights of each
        workload are divided by their sum.
    :param budget: what each policy may spend; None: budgets do not matter.
    :param price: lambda.
    :param spent: scheduler's label -> what it spent.
    """

    alphas: Mapping[tuple[str, str], float] = field(default_factory=dict)
    budget: float | None = None
    price: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)


def _value(cell: SuiteCell, metric: str) -> float | None:
    return next((one.value for one in cell.metrics if one.metric == metric), None)


@dataclass(frozen=True, slots=True)
class _Side:
    # The cells of one scheduler on one workload, by seed.
    scheduler: SuiteScheduler
    cells: tuple[SuiteCell | None, ...]

    def values(self, metric: str) -> list[float] | None:
        # None: not every seed has one.
        found = [_value(cell, metric) for cell in self.cells if cell is not None]
        known = [value for value in found if value is not None]
        return known if len(known) == len(self.cells) else None


def score(results: SuiteResults, terms: Terms | None = None) -> SuiteScore:
    """Every scheduler of the results, the baseline first; it is its own baseline.

    :raises InputError: ``foreign-cell``, or ``unknown-term``: a weight or a spending of nobody.
    """
    asked = terms if terms is not None else Terms()
    check((results,))
    _check_terms(results, asked)
    cells = {(one.workload, one.scheduler, one.seed): one for one in results.cells}
    found = []
    for scheduler in results.schedulers:
        scored = tuple(_workload(results, workload, scheduler, cells, asked) for workload in results.workloads)
        found.append(_scheduler(scheduler, scored, asked, baseline=scheduler is results.schedulers[0]))
    return SuiteScore(results_sha256=digest_of(results), confidence=CONFIDENCE, schedulers=tuple(found))


def _check_terms(results: SuiteResults, terms: Terms) -> None:
    known = {(workload.name, one.metric) for workload in results.workloads for one in workload.objectives}
    for workload, metric in terms.alphas:
        if (workload, metric) not in known:
            raise InputError("unknown-term", f"{metric} is no objective of a workload {workload} of these results")
    labels = [one.label for one in results.schedulers]
    for label in terms.spent:
        if label not in labels:
            hint = "there are " + ", ".join(labels)
            raise InputError("unknown-term", f"these results have no scheduler {label}", hint=hint)


def _scheduler(
    scheduler: SuiteScheduler, scored: tuple[WorkloadScore, ...], terms: Terms, *, baseline: bool
) -> SchedulerScore:
    points = math.fsum(one.points for one in scored if one.points is not None)
    budget, penalty = None, 0.0 if baseline or terms.budget is None else None
    if terms.budget is not None and not baseline:
        budget = Budget(budget=terms.budget, price=terms.price, spent=terms.spent.get(scheduler.label))
        if budget.spent is not None:
            penalty = terms.price * max(0.0, budget.spent / budget.budget - 1.0)
    return SchedulerScore(
        scheduler=scheduler.label,
        track=scheduler.track,
        points=points,
        penalty=penalty,
        score=None if penalty is None else points - penalty,
        workloads=scored,
        budget=budget,
    )


def _workload(
    results: SuiteResults,
    workload: SuiteWorkload,
    scheduler: SuiteScheduler,
    cells: Mapping[tuple[str, str, int], SuiteCell],
    terms: Terms,
) -> WorkloadScore:
    base, mine = (
        _Side(one, tuple(cells.get((workload.name, one.label, seed)) for seed in results.seeds))
        for one in (results.schedulers[0], scheduler)
    )
    none = WorkloadScore(workload=workload.name, hidden=workload.hidden, points=None)
    for side in (base, mine):
        if why := _not_done(side, results.seeds):
            broke = side is mine and any(cell is not None and cell.end.verdict in _BROKE for cell in side.cells)
            return replace(none, why=why, broke=broke)
    if why := _apart(base, mine, grounds_of(results)):
        return replace(none, why=why)
    slos = tuple(_judged(slo, mine) for slo in workload.slos)
    improvements = tuple(
        _improvement(objective, alpha, base, mine)
        for objective, alpha in zip(workload.objectives, _alphas(workload, terms), strict=True)
    )
    found = replace(none, slos=slos, improvements=improvements)
    if why := _incomparable(improvements, slos):
        return replace(found, why=why)
    met = all(one.met for one in slos if one.slo.hard)
    points = math.fsum(one.alpha * one.factor for one in improvements if one.factor is not None)
    return replace(found, points=points if met else 0.0)


def _alphas(workload: SuiteWorkload, terms: Terms) -> list[float]:
    weights = [terms.alphas.get((workload.name, one.metric), 1.0) for one in workload.objectives]
    return [weight / math.fsum(weights) for weight in weights]


def _not_done(side: _Side, seeds: Sequence[int]) -> str:
    for seed, cell in zip(seeds, side.cells, strict=True):
        if cell is None:
            return f"{side.scheduler.label} was not run with seed {seed}"
        if cell.end.verdict != SimVerdict.DONE:
            words = f": {cell.end.message}" if cell.end.message else ""
            return f"{side.scheduler.label}, seed {seed}: {cell.end.verdict}{words}"
    return ""


def _apart(base: _Side, mine: _Side, grounds: Mapping[str, SuiteGround]) -> str:
    # What was measured under other conditions is no comparison.
    found = list(dict.fromkeys(cell.ground for side in (base, mine) for cell in side.cells if cell is not None))
    if len(found) == 1:
        return ""
    one, other, *_ = (grounds[name] for name in found)
    lines = differences(one.environment, other.environment)
    return f"not measured under the same conditions: {'; '.join(lines) or 'other versions of its programs'}"


def _incomparable(improvements: Sequence[Improvement], slos: Sequence[SloJudgement]) -> str:
    for one in improvements:
        if one.baseline is None or one.policy is None:
            return f"{one.metric} was not measured with every seed"
        if one.factor is None:
            return f"{one.metric} has values that cannot be divided by one another, such as 0"
    missing = next((one for one in slos if one.slo.hard and one.met is None), None)
    return "" if missing is None else f"{missing.slo.metric}, which has a hard SLO, was not measured with every seed"


def _improvement(objective: Objective, alpha: float, base: _Side, mine: _Side) -> Improvement:
    before, after = base.values(objective.metric), mine.values(objective.metric)
    found = Improvement(
        metric=objective.metric,
        unit=objective.unit,
        direction=objective.direction,
        alpha=alpha,
        baseline=median(before) if before else None,
        policy=median(after) if after else None,
    )
    if not before or not after:
        return found
    pairs = list(zip(before, after, strict=True))
    if all(one == other == 0 for one, other in pairs):
        return replace(found, factor=1.0)  # both were measured, and neither took any time
    if not all(_LEAST < value < _MOST for pair in pairs for value in pair):
        return found
    sign = 1 if objective.direction == LOWER else -1
    interval = paired_interval([sign * math.log(one / other) for one, other in pairs], confidence=CONFIDENCE)
    factor, low, high = (
        None if value is None else math.exp(value) for value in (interval.estimate, interval.low, interval.high)
    )
    return replace(found, factor=factor, low=low, high=high)


def _judged(slo: Slo, side: _Side) -> SloJudgement:
    values = side.values(slo.metric)
    if not values:
        return SloJudgement(slo=slo, value=None, met=None, seeds_met=0)
    value = median(values)
    return SloJudgement(slo=slo, value=value, met=_keeps(value, slo), seeds_met=sum(_keeps(one, slo) for one in values))


def _keeps(value: float, slo: Slo) -> bool:
    return value <= slo.bound if slo.direction == LOWER else value >= slo.bound
