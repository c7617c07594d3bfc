"""A plan for a policy that does not exist yet: composed of rules, searched in the simulator, said in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from schedops.agent.compose.recipe import recipe_of, words
from schedops.agent.compose.source import compose
from schedops.agent.compose.space import RecipeSpace
from schedops.agent.lab import Candidate
from schedops.agent.observe import observe
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.agent.search import create
from schedops.errors import Refused, Undecided
from schedops.model.plan import Alternative, Plan
from schedops.model.policy import PolicySource
from schedops.model.search import Search

CREATE = "create"
_TOLD = 5  # other sentences of the grammar that the plan names


def created(brief: Brief, bench: Workbench | None) -> Proposed:
    """Search the grammar.

    :raises Undecided: ``nothing-created``: nothing could be tried. :raises Refused: nothing is better than the default.
    """
    if bench is None:
        raise Undecided(
            "nothing-created", "a policy is created by trying, and nothing may be tried", hint="--trials 60"
        )
    space = RecipeSpace(
        headers_of(brief.library), tuple(one.name for one in brief.profile.classes), bool(_known(brief))
    )
    found = create(bench.terms, space, lab=bench.lab, told=bench.told)
    if found.chosen < 0:
        raise Refused(
            "nothing-created", f"no policy was composed: {found.because}", hint="--trials, or --pathway configure"
        )
    trial = found.trials[found.chosen]
    source = space.source(recipe_of(trial.recipe))
    return Proposed(
        plan=_plan(brief, found, source), candidate=Candidate(trial.candidate, source, trial.params), search=found
    )


def source_from(recipe: str, library: Sequence[PolicySource], classes: Sequence[str]) -> PolicySource:
    """The source that a plan's recipe means. :raises ValueError: it is none."""
    return compose(recipe_of(recipe), headers_of(library), classes=tuple(classes))


def headers_of(library: Sequence[PolicySource]) -> dict[str, str]:
    """The headers that the library's policies use, by name."""
    return {name: text for source in library for name, text in source.headers}


def _known(brief: Brief) -> int:
    return len(brief.hints.hints) if brief.hints else 0


def _plan(brief: Brief, found: Search, source: PolicySource) -> Plan:
    trial = found.trials[found.chosen]
    seen = observe(brief.workload, brief.profile)
    over = {(one.baseline, one.metric): one for one in found.confirmed if one.trial == found.chosen}
    changes = [
        (one, over[baseline, one.metric], name)
        for baseline, name in (("eevdf", "the default scheduler"), ("informed", "the informed default"))
        for one in brief.workload.objectives
        if over[baseline, one.metric].estimate is not None
    ]
    said = ", ".join(f"{_words(one.metric)} {found.estimate:+.0%} against {name}" for one, found, name in changes)
    best = min(
        (found.estimate if one.direction == "lower" else -found.estimate, one.metric, found.estimate)
        for one, found, name in changes[: len(brief.workload.objectives)]
        if found.estimate is not None
    )
    return Plan(
        workload=brief.workload.name,
        planner="offline",
        policy=source.policy.name,
        params=trial.params,
        uses_hints=source.policy.capabilities.hints and _known(brief) > 0,
        hypothesis=f"A new policy, composed of rules: {words(recipe_of(trial.recipe))}. It changes {said}, on "
        f"{len(found.fresh_seeds)} fresh seeds of the simulator ({found.machine}); measured figures decide.",
        predicted_metric=best[1],
        predicted_change=round(best[2], 4),
        reasons=(
            f"searched among policies that the grammar can say: {found.because}",
            f"every rule that brings nothing was left out again; the sentence is {trial.recipe}",
            f"loses when: {source.policy.loses_when}",
        ),
        alternatives=_alternatives(found),
        cost_usd=0.0,
        pathway=CREATE,
        observed=seen.paragraph,
        targets=seen.targets,
        recipe=trial.recipe,
    )


def _alternatives(found: Search) -> tuple[Alternative, ...]:
    # The best of each other sentence.
    others: dict[str, Alternative] = {}
    ranked = sorted(
        (one for one in found.trials if one.recipe and one.value is not None), key=lambda one: (one.value, one.number)
    )
    for one in ranked:
        if one.recipe != found.trials[found.chosen].recipe and one.value is not None:
            change = f"{math.expm1(one.value - 10 * one.broken):+.1%} on {one.seeds} training seeds"
            why = f"{words(recipe_of(one.recipe))}: {change}{', breaks what must hold' if one.broken else ''}"
            others.setdefault(one.recipe, Alternative(policy=one.candidate, score=round(-one.value, 3), why=why))
    return tuple(others.values())[:_TOLD]


def _words(metric: str) -> str:
    return metric.replace("_", " ")
