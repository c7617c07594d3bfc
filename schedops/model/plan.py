"""What the agent wants to try, and why."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A policy that was considered and not chosen."""

    policy: str
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One hypothesis, falsifiable, with the effect it predicts.

    :param predicted_change: of *predicted_metric* against the default scheduler, as a fraction (-0.2 = 20 % less).
    """

    workload: str
    planner: str  # offline | anthropic
    policy: str
    params: tuple[ParamValue, ...]
    uses_hints: bool
    hypothesis: str
    predicted_metric: str
    predicted_change: float
    reasons: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    cost_usd: float
