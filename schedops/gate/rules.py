"""One small function per rule: a Change in, a verdict with its words out. Every rule starts at INCONCLUSIVE."""

from __future__ import annotations

import math

from schedops.gate.pairs import Change
from schedops.model.verdict import Verdict

MIN_PAIRS = 6  # fewer give no 95 % interval (stats.interval), and no verdict here at any confidence


def improved(change: Change, *, direction: str, min_effect: float) -> Verdict:
    """Is the change an improvement worth having?

    PASS: the whole interval is better than no change, and the estimate is at least *min_effect*.
    FAIL: the whole interval is worse than *min_effect*, so an improvement worth having is excluded.
    """
    if _cannot_judge(change, direction, min_effect):
        return Verdict.ERROR
    gain = _gain(change, direction)
    if gain is None:
        return Verdict.INCONCLUSIVE
    estimate, low, high = gain
    if low > 0 and estimate >= min_effect:
        return Verdict.PASS
    return Verdict.FAIL if high < min_effect else Verdict.INCONCLUSIVE


def held(change: Change, *, direction: str, max_harm: float) -> Verdict:
    """Is any harm within what is allowed?

    PASS: the whole interval is within *max_harm*, also where it says worse: that much was allowed.
    FAIL: the estimate is beyond *max_harm*, and the whole interval says worse.
    """
    if _cannot_judge(change, direction, max_harm):
        return Verdict.ERROR
    gain = _gain(change, direction)
    if gain is None:
        return Verdict.INCONCLUSIVE
    estimate, low, high = gain
    if -low <= max_harm:
        return Verdict.PASS
    return Verdict.FAIL if high < 0 and -estimate > max_harm else Verdict.INCONCLUSIVE


def surely_worse(change: Change, *, direction: str) -> bool:
    """Is the whole interval worse than no change, by however little?"""
    gain = None if _cannot_judge(change, direction, 0.0) else _gain(change, direction)
    return gain is not None and gain[2] < 0


def _cannot_judge(change: Change, direction: str, threshold: float) -> bool:
    unknown = direction not in {"lower", "higher"} or not math.isfinite(threshold) or threshold < 0
    figures = [figure for figure in (change.estimate, change.low, change.high) if figure is not None]
    return bool(change.problem) or unknown or change.estimate is None or not all(map(math.isfinite, figures))


def _gain(change: Change, direction: str) -> tuple[float, float, float] | None:
    # Estimate, low and high with the sign turned so that positive is better; None when there are too few pairs.
    if change.estimate is None or change.low is None or change.high is None or change.pairs < MIN_PAIRS:
        return None
    if direction == "lower":
        return -change.estimate, -change.high, -change.low
    return change.estimate, change.low, change.high
