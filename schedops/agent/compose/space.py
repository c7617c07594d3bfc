"""The sentences of the grammar and the values of their parameters as a space to search. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schedops.agent.compose.recipe import KICKS, NONE, ORDERS, PLACES, PLAIN, Recipe, inside_of, recipe_of
from schedops.agent.compose.source import compose
from schedops.agent.lab import Candidate
from schedops.agent.space import Decisions, Draw, grid, is_searched, values_of, with_values
from schedops.model.policy import PolicySource

_PLAINEST = Recipe()
_BURSTS = "burst.h"  # a library without it knows no bursts


@dataclass(slots=True)
class RecipeSpace:
    """Implements ``Space``.

    :param headers: of the library, by name.
    :param hinted: expected CPU time is known; else nothing that asks for it is tried.
    """

    headers: Mapping[str, str]
    classes: tuple[str, ...]
    hinted: bool
    _made: dict[Recipe, PolicySource] = field(default_factory=dict)

    def draw(self, draw: Draw) -> Candidate:
        """See the protocol."""
        order = draw.choice("order", self._orders())
        inside = draw.choice(f"inside.{_kind(order)}", self._inside(order)) if len(self._inside(order)) > 1 else "turns"
        recipe = Recipe(
            order=order,
            inside=inside,
            plain=draw.choice("plain", self._plain()),
            place=draw.choice("place", PLACES),
            kick=draw.choice("kick", self._kicks()),
        )
        source = self.source(recipe)
        values = {one.name: one.default for one in source.policy.params}
        for param in filter(is_searched, source.policy.params):
            steps = grid(param)
            values[param.name] = steps[draw.whole(param.name, 0, len(steps) - 1)]
        return self._candidate(recipe, values)

    def begins(self) -> Sequence[Decisions]:
        """One of each order, as plain as can be."""
        found: list[Decisions] = []
        for order in self._orders():
            inside = self._inside(order)[-1]
            decisions: Decisions = {"order": order, "plain": "fair", "place": PLACES[0], "kick": NONE}
            if len(self._inside(order)) > 1:
                decisions[f"inside.{_kind(order)}"] = inside
            for param in filter(is_searched, self.source(Recipe(order=order, inside=inside)).policy.params):
                decisions[param.name] = grid(param).index(param.default)
            found.append(decisions)
        return found

    def aspects(self, candidate: Candidate) -> Sequence[str]:
        """See the protocol."""
        assert candidate.source is not None
        recipe = recipe_of(candidate.recipe)
        rules = [
            name for name in ("kick", "place", "plain", "inside") if getattr(recipe, name) != getattr(_PLAINEST, name)
        ]
        return [*rules, *(one.name for one in candidate.params)]

    def reset(self, candidate: Candidate, aspect: str) -> Candidate:
        """See the protocol."""
        assert candidate.source is not None
        recipe, values = recipe_of(candidate.recipe), values_of(candidate)
        if hasattr(recipe, aspect):
            recipe = replace(recipe, **{aspect: getattr(_PLAINEST, aspect)})
            return self._candidate(recipe, values)
        defaults = {one.name: one.default for one in candidate.source.policy.params}
        # A parameter may have gone with the rule that had it.
        return self._candidate(recipe, {**values, aspect: defaults[aspect]}) if aspect in defaults else candidate

    def source(self, recipe: Recipe) -> PolicySource:
        """Its C, made once."""
        if recipe not in self._made:
            self._made[recipe] = compose(recipe, self.headers, classes=self.classes)
        return self._made[recipe]

    def _candidate(self, recipe: Recipe, values: Mapping[str, int]) -> Candidate:
        source = self.source(recipe)
        known = {one.name: values.get(one.name, one.default) for one in source.policy.params}
        return replace(with_values(source, known), recipe=str(recipe))

    def _orders(self) -> tuple[str, ...]:
        return tuple(one for one in ORDERS if self.hinted or not Recipe(order=one).hints)

    def _inside(self, order: str) -> tuple[str, ...]:
        return tuple(one for one in inside_of(order) if self.hinted or not Recipe(order=order, inside=one).hints)

    def _plain(self) -> tuple[str, ...]:
        return PLAIN if _BURSTS in self.headers else PLAIN[:2]

    def _kicks(self) -> tuple[str, ...]:
        return KICKS if _BURSTS in self.headers else KICKS[:1]


def _kind(order: str) -> str:
    # Both orders of groups have the same choice inside.
    return "groups" if order.startswith("groups") else order
