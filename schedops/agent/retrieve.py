"""Which policies of the library suit a situation, and how well. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schedops.agent.predict import Prediction, Situation
from schedops.model.outcome import Outcome
from schedops.model.policy import Policy
from schedops.model.rung import MEASURED
from schedops.model.verdict import Verdict

CLASS_POINTS = 1.0  # for the profile's first class; each later one counts half of the one before
TAG_POINTS = 0.05  # for each tag that the workload's own words contain, five at most
FAILED_POINTS = 2.0  # off for a policy that the gate has failed on this workload
PASSED_POINTS = 0.5  # for one that it has passed


@dataclass(frozen=True, slots=True)
class Suited:
    """A policy with its score and the reasons for it, in words."""

    policy: Policy
    score: float
    reasons: tuple[str, ...]
    predictions: tuple[Prediction, ...]

    @property
    def classes_matched(self) -> bool:
        """The policy is meant for at least one class of the profile."""
        return any(reason.startswith("meant for ") for reason in self.reasons)


def ranked(
    situation: Situation,
    policies: Sequence[Policy],
    predicted: Mapping[str, tuple[Prediction, ...]],
    history: Sequence[Outcome],
) -> tuple[Suited, ...]:
    """Best first; equal scores by name."""
    suited = [_suited(situation, policy, predicted.get(policy.name, ()), history) for policy in policies]
    return tuple(sorted(suited, key=lambda one: (-one.score, one.policy.name)))


def gain(situation: Situation, found: Sequence[Prediction]) -> tuple[float, Prediction | None]:
    """How much better the best objective is predicted to get, and which; what another one loses counts against it."""
    direction = {one.metric: one.direction for one in situation.workload.objectives}
    gains = [
        ((-one.over_default if direction[one.metric] == "lower" else one.over_default), one)
        for one in found
        if one.metric in direction
    ]
    if not gains:
        return 0.0, None
    best, prediction = max(gains, key=lambda pair: pair[0])
    return best + sum(min(0.0, one) for one, other in gains if other is not prediction), prediction


def _suited(situation: Situation, policy: Policy, found: tuple[Prediction, ...], history: Sequence[Outcome]) -> Suited:
    parts = (
        _by_class(situation, policy),
        _by_tags(situation, policy),
        _by_hints(situation, policy),
        _by_model(situation, found),
        _by_history(situation, policy, history),
    )
    points = sum(point for point, _ in parts)
    return Suited(policy, round(points, 3), tuple(reason for _, reason in parts if reason), found)


def _by_class(situation: Situation, policy: Policy) -> tuple[float, str]:
    matched = [(place, one) for place, one in enumerate(situation.profile.classes) if one.name in policy.classes]
    if not matched:
        return 0.0, "not meant for any class of this workload"
    points = sum(CLASS_POINTS / 2**place for place, _ in matched)
    return points, f"meant for {', '.join(one.name for _, one in matched)} ({matched[0][1].because})"


def _by_tags(situation: Situation, policy: Policy) -> tuple[float, str]:
    workload = situation.workload
    metrics = " ".join(one.metric for one in workload.objectives)
    words = set(re.findall(r"[a-z]+", f"{workload.name} {workload.description} {metrics}".lower()))
    shared = sorted(tag for tag in policy.tags if set(tag.split("-")) <= words)
    return TAG_POINTS * min(5, len(shared)), f"tags in the workload's words: {', '.join(shared)}" if shared else ""


def _by_hints(situation: Situation, policy: Policy) -> tuple[float, str]:
    at_hand = bool(situation.hints and situation.hints.hints)
    if not policy.capabilities.hints:
        return 0.0, ""
    if at_hand:
        return 0.0, f"history knows {len(situation.hints.hints if situation.hints else ())} jobs"
    return (-0.25, "reads hints, and none are at hand")


def _by_model(situation: Situation, found: tuple[Prediction, ...]) -> tuple[float, str]:
    best, prediction = gain(situation, found)
    if prediction is None:
        return 0.0, "the model has nothing like it"
    metric = prediction.metric.replace("_", " ")
    return best, f"{metric} predicted {100 * prediction.over_default:+.0f} % against the default scheduler"


def _by_history(situation: Situation, policy: Policy, history: Sequence[Outcome]) -> tuple[float, str]:
    # The newest verdict on this workload; what was not measured proves nothing.
    here = [one for one in history if one.policy == policy.name and one.workload == situation.workload.name]
    settled = [one for one in here if one.rung in MEASURED and one.verdict in (Verdict.PASS, Verdict.FAIL)]
    if not settled:
        return 0.0, ""
    last = settled[-1]
    passed = last.verdict is Verdict.PASS
    said = f"{'passed' if passed else 'failed'} here before, {last.created[:10]}: {_effects(last)}"
    return (PASSED_POINTS if passed else -FAILED_POINTS), said


def _effects(one: Outcome) -> str:
    told = [
        f"{effect.metric.replace('_', ' ')} {effect.estimate:+.1%} against {effect.baseline}"
        for effect in one.effects
        if effect.estimate is not None
    ]
    return ", ".join(told) or "no effect could be told"
