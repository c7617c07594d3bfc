"""What the gate concluded, per metric and in all."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One metric against one baseline.

    Changes are fractions of the baseline, negative = smaller: estimate with the interval [low, high]
    (None: too few pairs for one).
    """

    metric: str
    role: str  # objective | guard | condition (what must hold before figures count; *metric* names it)
    baseline: str  # eevdf | informed; empty for a condition
    arm: str  # candidate | informed
    pairs: int
    estimate: float | None
    low: float | None
    high: float | None
    threshold: float  # min_effect of an objective, max_harm of a guard, smallest share that is enough of a condition
    hard: bool
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """:param rung: where all of its figures come from, of schedops.model.rung; simulated ones prove nothing.

    :param recommendation: policy | settings | nothing: what a pull request should propose.
    """

    workload: str
    policy: str
    rung: str
    verdict: Verdict
    recommendation: str
    summary: str
    reasons: tuple[Reason, ...]
    confidence: float  # level of every interval, e.g. 0.95
    looks: tuple[int, ...] = ()  # after how many rounds the gate was to look; empty: once, at the end
    rounds: int = 0  # that the decision rests on: the look at which the answer was clear, or all
