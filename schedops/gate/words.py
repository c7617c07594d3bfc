"""What the gate says, in plain words with the figures."""

from __future__ import annotations

from schedops.gate.pairs import Change
from schedops.gate.rules import MIN_PAIRS
from schedops.model.verdict import Verdict

_CONCLUDED = {
    "objective": {
        Verdict.PASS: "shown",
        Verdict.FAIL: "ruled out",
        Verdict.INCONCLUSIVE: "neither shown nor ruled out",
        Verdict.ERROR: "nobody can say",
    },
    "guard": {
        Verdict.PASS: "shown to hold",
        Verdict.FAIL: "broken",
        Verdict.INCONCLUSIVE: "neither shown to hold nor to be broken",
        Verdict.ERROR: "nobody can say",
    },
}
# The same where the whole interval is worse than no change.
_CONCLUDED_WORSE = {
    "objective": {Verdict.FAIL: "no gain, it is shown to be worse"},
    "guard": {
        Verdict.PASS: "worse, and shown to be within that",
        Verdict.FAIL: "broken",
        Verdict.INCONCLUSIVE: "shown to be worse, not by how much",
    },
}
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


def concluded(role: str, verdict: Verdict, *, worse: bool) -> str:
    """What an objective or a guard comes to, after a colon.

    :param worse: the whole interval is worse than no change.
    """
    return (worse and _CONCLUDED_WORSE[role].get(verdict)) or _CONCLUDED[role][verdict]


def level(confidence: float) -> str:
    """A level of confidence, with as many digits as tell it from its neighbours."""
    return f"{100 * confidence:.3g} %"
