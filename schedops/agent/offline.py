"""The planner without a model, key or account: retrieval, rules, a small simulation, a search. Pure and repeatable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from schedops.agent.created import CREATE, created
from schedops.agent.lab import Candidate
from schedops.agent.observe import Observation, observe
from schedops.agent.params import chosen_params
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.agent.predict import SOURCE, Prediction, Situation, discipline_of, predictions
from schedops.agent.retrieve import Suited, gain, ranked
from schedops.agent.search import both, search
from schedops.agent.settings import falls_short, settings_enough
from schedops.errors import InputError, Refused
from schedops.model.plan import Alternative, Plan
from schedops.model.search import Confirmation, Search
from schedops.model.verdict import Verdict

RACED = 20  # policies that are simulated with the values that the rules choose
REMEMBERED = 3  # and those that passed before, with the values that they had
LEARNT = "learnt"
CONFIGURE = "configure"


class OfflinePlanner:
    """Implements ``Planner``."""

    identity: Mapping[str, str] = MappingProxyType({"planner": "offline"})

    def propose(self, brief: Brief, bench: Workbench | None) -> Proposed:
        """See the port."""
        if brief.pathway == CREATE:
            return created(brief, bench)
        found = self._configured(brief, bench)
        if brief.pathway is not None or bench is None or found.plan.settings_only:
            return found
        if found.search is None or not falls_short(brief.workload, found.search):
            return found
        return _created_instead(brief, bench, found, found.search)

    def _configured(self, brief: Brief, bench: Workbench | None) -> Proposed:
        situation = Situation(brief.workload, brief.profile, brief.hints)
        order = _order(brief, situation)
        learnt = _learnt(brief)
        passed = {one.name for one, _ in learnt}
        raced = [one for at, one in enumerate(order) if at < RACED or one.policy.name in passed]
        found = [Begin(one, situation) for one in raced]
        seen = observe(brief.workload, brief.profile)
        tried = None
        if bench is not None:
            begins = [(found[0].candidate(brief), "planner"), *learnt]
            begins += [(one.candidate(brief), "planner") for one in found[1:]]
            tried = search(bench.terms, begins, lab=bench.lab, told=bench.told)
        chosen = _chosen(found, tried)
        plan = _plan(situation, chosen, [one for one in order if one is not chosen.suited], seen)
        candidate = chosen.candidate(brief)
        if tried is None or tried.chosen < 0:
            why = [] if tried is None else [f"not searched: {tried.because}"]
            return Proposed(plan=replace(plan, reasons=(*plan.reasons, *why)), candidate=candidate, search=tried)
        trial = tried.trials[tried.chosen]
        candidate = replace(candidate, params=trial.params)
        return Proposed(plan=_searched(situation, plan, tried), candidate=candidate, search=tried)


def _created_instead(brief: Brief, bench: Workbench, found: Proposed, tried: Search) -> Proposed:
    short = f"nothing in the library is good enough in the simulator; the best: {tried.because}"
    try:
        made = created(brief, bench)
    except Refused as error:
        reasons = (*found.plan.reasons, f"no new policy instead: {error.message}")
        return replace(found, plan=replace(found.plan, reasons=reasons))
    assert made.search is not None
    return replace(made, plan=replace(made.plan, reasons=(short, *made.plan.reasons)), search=both(tried, made.search))


class Begin:
    """A policy with the values that the rules choose for it."""

    def __init__(self, suited: Suited, situation: Situation) -> None:
        self.suited = suited
        self.params = chosen_params(situation, suited.policy)

    def candidate(self, brief: Brief) -> Candidate:
        """With its source."""
        source = next(one for one in brief.library if one.policy.name == self.suited.policy.name)
        values = sorted((value for value, _ in self.params), key=lambda one: one.name)
        return Candidate(source.policy.name, source, tuple(values))


def _order(brief: Brief, situation: Situation) -> list[Suited]:
    # Those that are meant for a class of the profile first.
    if not brief.library:
        raise InputError("library-empty", "the library has no policy to choose from", hint="schedops library list")
    policies = [source.policy for source in brief.library]
    order = ranked(situation, policies, predictions(situation, policies), brief.history)
    meant = [one for one in order if one.classes_matched]
    if not meant:
        names = ", ".join(found.name for found in brief.profile.classes) or "none"
        raise Refused(
            "nothing-to-try",
            f"no policy of the library is meant for {brief.workload.name} (classes: {names})",
            hint="schedops library list",
        )
    return [meant[0], *(one for one in order if one is not meant[0])]


def _learnt(brief: Brief) -> list[tuple[Candidate, str]]:
    # What has passed on this workload before, with the values it had then; the newest first.
    sources = {one.policy.name: one for one in brief.library}
    found: dict[str, Candidate] = {}
    for one in reversed(brief.history):
        source = sources.get(one.policy)
        if one.workload != brief.workload.name or one.verdict is not Verdict.PASS or source is None:
            continue
        known = {param.name: param for param in source.policy.params}
        fits = all(v.name in known and known[v.name].min <= v.value <= known[v.name].max for v in one.params)
        if fits:
            found.setdefault(one.policy, Candidate(one.policy, source, one.params))
    return [(one, LEARNT) for one in list(found.values())[:REMEMBERED]]


def _chosen(found: Sequence[Begin], tried: Search | None) -> Begin:
    if tried is None or tried.chosen < 0:
        return found[0]
    name = tried.trials[tried.chosen].candidate
    return next(one for one in found if one.suited.policy.name == name)


def _plan(situation: Situation, chosen: Begin, others: Sequence[Suited], seen: Observation) -> Plan:
    suited = chosen.suited
    _, predicted = gain(situation, suited.predictions)
    first = situation.workload.objectives[0].metric if situation.workload.objectives else ""
    return Plan(
        workload=situation.workload.name,
        planner="offline",
        policy=suited.policy.name,
        params=tuple(value for value, _ in chosen.params),
        uses_hints=suited.policy.capabilities.hints and bool(situation.hints and situation.hints.hints),
        hypothesis=_hypothesis(situation, suited, predicted),
        predicted_metric=predicted.metric if predicted else first,
        predicted_change=round(predicted.over_default, 4) if predicted else 0.0,
        reasons=(
            *suited.reasons,
            *([seen.closer] if seen.closer else []),
            *_prices(situation, suited),
            *(reason for _, reason in chosen.params),
        ),
        alternatives=tuple(Alternative(policy=o.policy.name, score=o.score, why="; ".join(o.reasons)) for o in others),
        cost_usd=0.0,
        pathway=CONFIGURE,
        observed=seen.paragraph,
        targets=seen.targets,
    )


def _searched(situation: Situation, plan: Plan, tried: Search) -> Plan:
    """The plan with the values of the search, and with what it is expected to bring by the simulator's fresh seeds."""
    trial = tried.trials[tried.chosen]
    reasons = plan.reasons
    if trial.params != tuple(sorted(plan.params, key=lambda one: one.name)):
        names = {one.name for one in plan.params}
        reasons = tuple(why for why in reasons if why.split(" ")[0] not in names)
    enough = settings_enough(situation.workload, tried)
    over = {
        one.baseline: one
        for one in reversed(tried.confirmed)
        if one.trial == tried.chosen and one.metric == _best_metric(situation, tried)
    }
    expected = over.get("eevdf")
    plan = replace(
        plan,
        params=trial.params,
        reasons=(*reasons, f"searched in the simulator, {len(tried.trials)} candidates: {tried.because}"),
        settings_only=bool(enough),
    )
    if expected is None or expected.estimate is None:
        return plan
    said = f"{plan.policy} changes {_words(expected.metric)} by {_interval(expected)} against the default scheduler"
    if (informed := over.get("informed")) is not None and informed.estimate is not None:
        said += f" and by {_interval(informed)} against the informed default"
    said += f" on {expected.pairs} fresh seeds of the simulator ({tried.machine}); measured figures decide."
    head = f"No policy is needed: {enough}. To be refuted: " if enough else _mechanism(plan)
    return replace(
        plan,
        hypothesis=f"{head}{said}",
        predicted_metric=expected.metric,
        predicted_change=round(expected.estimate, 4),
    )


def _mechanism(plan: Plan) -> str:
    # Of the rules' hypothesis that part which says what is done, without its figures.
    head, found, _ = plan.hypothesis.partition(" changes ")
    return f"{head}: " if found else ""


def _best_metric(situation: Situation, tried: Search) -> str:
    # The objective that the chosen one improves most.
    direction = {one.metric: one.direction for one in situation.workload.objectives}
    found = [
        (one.estimate if direction[one.metric] == "lower" else -one.estimate, one.metric)
        for one in tried.confirmed
        if one.trial == tried.chosen and one.baseline == "eevdf" and one.estimate is not None
    ]
    return min(found)[1] if found else ""


def _interval(found: Confirmation) -> str:
    between = f" [{found.low:+.0%}, {found.high:+.0%}]" if found.low is not None and found.high is not None else ""
    return f"{found.estimate:+.0%}{between}"


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
