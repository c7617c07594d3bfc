"""The planner without a model, key or account: retrieval, rules and a small simulation. Pure and repeatable."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.agent.params import chosen_params
from schedops.agent.predict import SOURCE, Prediction, Situation, discipline_of, predictions
from schedops.agent.retrieve import Suited, gain, ranked
from schedops.errors import InputError, Refused
from schedops.model.decision import Decision
from schedops.model.jobs import Hints
from schedops.model.plan import Alternative, Plan
from schedops.model.policy import PolicySource
from schedops.model.profile import Profile
from schedops.model.workload import Workload


def plan(
    workload: Workload,
    profile: Profile,
    hints: Hints | None,
    policies: Sequence[PolicySource],
    history: Sequence[Decision] = (),
) -> Plan:
    """Choose a policy of the library, its parameters, and say what it should achieve.

    :param history: earlier decisions of the gate on this workload; a policy that failed goes to the end.
    :raises InputError: ``library-empty``.
    :raises Refused: ``nothing-to-try`` when no policy is meant for any class of the profile.
    """
    if not policies:
        raise InputError("library-empty", "the library has no policy to choose from", hint="schedops library list")
    situation = Situation(workload, profile, hints)
    chosen_from = [source.policy for source in policies]
    order = ranked(situation, chosen_from, predictions(situation, chosen_from), history)
    meant = [one for one in order if one.classes_matched]
    if not meant:
        names = ", ".join(found.name for found in profile.classes) or "none"
        raise Refused(
            "nothing-to-try",
            f"no policy of the library is meant for {workload.name} (classes: {names})",
            hint="schedops library list",
        )
    return _plan(situation, meant[0], [one for one in order if one is not meant[0]])


def _plan(situation: Situation, chosen: Suited, others: Sequence[Suited]) -> Plan:
    params = chosen_params(situation, chosen.policy)
    _, predicted = gain(situation, chosen.predictions)
    first = situation.workload.objectives[0].metric if situation.workload.objectives else ""
    return Plan(
        workload=situation.workload.name,
        planner="offline",
        policy=chosen.policy.name,
        params=tuple(value for value, _ in params),
        uses_hints=chosen.policy.capabilities.hints and bool(situation.hints and situation.hints.hints),
        hypothesis=_hypothesis(situation, chosen, predicted),
        predicted_metric=predicted.metric if predicted else first,
        predicted_change=round(predicted.over_default, 4) if predicted else 0.0,
        reasons=(*chosen.reasons, *_prices(situation, chosen), *(reason for _, reason in params)),
        alternatives=tuple(Alternative(policy=o.policy.name, score=o.score, why="; ".join(o.reasons)) for o in others),
        cost_usd=0.0,
    )


def _hypothesis(situation: Situation, chosen: Suited, predicted: Prediction | None) -> str:
    name, kind = situation.workload.name, situation.profile.classes[0].name
    discipline = discipline_of(chosen.policy)
    if predicted is None or discipline is None:
        return f"{name} is {kind}, and {chosen.policy.name} is meant for that; nothing is predicted, only tried."
    return (
        f"{name} is {kind}: serving {discipline.value} instead of by fair sharing changes "
        f"{_words(predicted.metric)} by about {100 * predicted.over_default:+.0f} % against the default scheduler and "
        f"{100 * predicted.over_informed:+.0f} % against the informed default ({SOURCE}; no cache or switching costs)."
    )


def _prices(situation: Situation, chosen: Suited) -> list[str]:
    guards = {guard.metric for guard in situation.workload.guards}
    # What the model cannot know, such as CPU time, stays exactly as it is there: no prediction.
    told = [p for p in chosen.predictions if p.metric in guards and abs(p.over_default) >= 0.005]
    prices = [f"{_words(p.metric)} {100 * p.over_default:+.0f} %" for p in told]
    loses = " ".join(chosen.policy.loses_when.split())
    return [
        *([f"predicted price: {', '.join(prices)}"] if prices else []),
        *([f"loses when: {loses}"] if loses else []),
    ]


def _words(metric: str) -> str:
    return metric.replace("_", " ")
