"""What the gate says, in plain words with the figures."""

from __future__ import annotations

from schedops.gate.pairs import Change
from schedops.gate.rules import MIN_PAIRS

ARM_NAMES = {"eevdf": "the default scheduler", "informed": "the informed default", "candidate": "the candidate"}


def metric_name(metric: str) -> str:
    """As people read it."""
    return metric.replace("_", " ")


def percent(fraction: float) -> str:
    """Signed, one decimal."""
    return f"{100 * fraction:+.1f} %"


def figures(change: Change) -> str:
    """Estimate and interval, or why there is none."""
    if change.problem:
        return f"not measured ({change.problem})"
    if change.estimate is None:
        return "not measured (no data)"
    if change.low is None or change.high is None:
        return f"{percent(change.estimate)} without an interval ({change.pairs} pairs, at least {MIN_PAIRS} needed)"
    return f"{percent(change.estimate)} [{percent(change.low)}, {percent(change.high)}]"


def against(metric: str, change: Change, baseline: str) -> str:
    """A metric, its change and what it was compared with."""
    return f"{metric_name(metric)} {figures(change)} against {ARM_NAMES.get(baseline, baseline)}"
