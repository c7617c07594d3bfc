"""Was it the policy, or when it ran? Effects of the order of runs and of time that would explain a difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from schedops.gate.conditions import condition
from schedops.gate.pairs import Pairs, pair_up
from schedops.gate.words import ARM_NAMES, metric_name, percent
from schedops.model.decision import Reason
from schedops.model.measurements import Measurements
from schedops.model.verdict import Verdict
from schedops.model.workload import Workload
from schedops.stats.exact import Finding, shift, trend

LEVEL = 0.05  # how often an effect that is not there is seen, over all that is looked at (Bonferroni)
ORDER, TREND = "order of runs", "trend"


@dataclass(frozen=True, slots=True)
class _Watched:
    metric: str
    baseline: str
    matters: float  # fraction of the baseline
    pairs: Pairs

    def __str__(self) -> str:
        return f"{metric_name(self.metric)} against {ARM_NAMES[self.baseline]}"


def no_order_effect(workload: Workload, measurements: Measurements) -> Reason:
    """PASS: it makes no difference that matters which arm ran first. INCONCLUSIVE: it does, or nobody can tell.
    ERROR: nothing can be paired.

    Every metric that decides is looked at: a difference counts when it is as large as the effect or harm that the
    workload names, and clearer than chance.
    """
    watched = _watched(workload, measurements)
    for one in _usable(watched):
        later = sum(one.pairs.later)
        if min(later, one.pairs.count - later) < max(1, one.pairs.count // 4):
            text = f"the candidate ran after {ARM_NAMES[one.baseline]} in {later} of {one.pairs.count} rounds"
            return condition(ORDER, Verdict.INCONCLUSIVE, f"{text}: order and policy cannot be told apart")
    what = "between rounds where the candidate ran later and where it ran earlier"
    return _judged(ORDER, watched, _by_order, what)


def no_trend(workload: Workload, measurements: Measurements) -> Reason:
    """PASS: the difference between the arms does not change with time by what matters. INCONCLUSIVE: it does.
    ERROR: nothing can be paired.
    """
    return _judged(TREND, _watched(workload, measurements), _by_time, "from the first round to the last")


def _by_order(pairs: Pairs) -> Finding:
    sides = list(zip(pairs.logs, pairs.later, strict=True))
    return shift([log for log, later in sides if not later], [log for log, later in sides if later])


def _by_time(pairs: Pairs) -> Finding:
    return trend(pairs.logs)


def _judged(name: str, watched: list[_Watched], look: Callable[[Pairs], Finding], what: str) -> Reason:
    usable = _usable(watched)
    if not usable:
        why = watched[0].pairs.problem if watched else "the workload wants nothing"
        return condition(name, Verdict.ERROR, f"nothing can be looked at: {why}")
    if any(one.pairs.count < 2 for one in usable):
        return condition(name, Verdict.INCONCLUSIVE, "one pair shows nothing")
    found = sorted(((look(one.pairs), one) for one in usable), key=lambda pair: pair[0].p)
    for finding, one in found:
        if finding.p <= LEVEL / len(found) and abs(finding.size) >= math.log1p(one.matters):
            text = f"{one} changes by {_words(finding)} {what}; {percent(one.matters)[1:]} matters"
            return condition(name, Verdict.INCONCLUSIVE, text, pairs=one.pairs.count)
    clearest, one = found[0]
    text = f"none that matters; the clearest is {one}, {_words(clearest)} {what}"
    return condition(name, Verdict.PASS, text, pairs=one.pairs.count)


def _words(finding: Finding) -> str:
    return f"{percent(math.expm1(finding.size))} (p = {finding.p:.2g})"


def _watched(workload: Workload, measurements: Measurements) -> list[_Watched]:
    wanted = [(one.metric, one.unit, one.min_effect, base) for one in workload.objectives for base in _BASELINES]
    wanted += [(one.metric, one.unit, one.max_harm, "eevdf") for one in workload.guards if one.hard]
    return [
        _Watched(
            metric, baseline, matters, pair_up(measurements, metric, unit=unit, arm="candidate", baseline=baseline)
        )
        for metric, unit, matters, baseline in wanted
    ]


def _usable(watched: list[_Watched]) -> list[_Watched]:
    # What cannot be paired is an ERROR of its own metric.
    return [one for one in watched if not one.pairs.problem]


_BASELINES = ("eevdf", "informed")
