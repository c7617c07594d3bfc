"""What a policy is composed of: one rule for each question, and what that means in words. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product

NONE = "none"
GROUPS = ("groups-by-arrival", "groups-by-remaining")
HINTED = ("long-first", "in-order", "longest-first", "shortest-first")
ORDERS = (NONE, *GROUPS, *HINTED)
INSIDE = ("turns", "longest-first", "shortest-first", "begun-first")
REST = ("turns", "in-order")
PLAIN = ("fair", "turns", "short-bursts")
PLACES = ("any-idle", "previous-idle", "whoever-is-first")
KICKS = (NONE, "latency")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A sentence of the grammar.

    :param order: which jobs go first, of :data:`ORDERS`; jobs are tasks of a group (a cgroup), or with a hint.
    :param inside: of jobs between which *order* does not decide: of :data:`INSIDE` in a group, of :data:`REST` for
        those that are not long under ``long-first``, else ``turns``.
    :param plain: how all other tasks are ordered, of :data:`PLAIN`.
    :param place: where a task that wakes up may go past the queue, of :data:`PLACES`.
    :param kick: who may interrupt, of :data:`KICKS`.
    """

    order: str = NONE
    inside: str = "turns"
    plain: str = "fair"
    place: str = "any-idle"
    kick: str = NONE

    def __post_init__(self) -> None:
        known = {"order": ORDERS, "plain": PLAIN, "place": PLACES, "kick": KICKS, "inside": inside_of(self.order)}
        for name, options in known.items():
            if getattr(self, name) not in options:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {', '.join(options)}")

    @property
    def groups(self) -> bool:
        """Tasks are told apart by their cgroup."""
        return self.order in GROUPS

    @property
    def jobs(self) -> bool:
        """Some tasks are ordered otherwise than the others."""
        return self.order != NONE

    @property
    def hints(self) -> bool:
        """Expected CPU time is asked for."""
        return self.order in (*HINTED, "groups-by-remaining") or self.inside in ("longest-first", "shortest-first")

    @property
    def bursts(self) -> bool:
        """It watches how long tasks run between two sleeps."""
        return self.plain == "short-bursts" or self.kick == "latency"

    def __str__(self) -> str:
        """One line that :func:`recipe_of` reads back."""
        return " ".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self))

    @property
    def name(self) -> str:
        """A policy's name: what it does first, and four digits that tell it from its relatives."""
        digest = hashlib.sha256(str(self).encode()).hexdigest()[:4]
        return f"{self.order if self.jobs else self.plain}-{digest}"


def inside_of(order: str) -> tuple[str, ...]:
    """What *inside* may be."""
    if order in GROUPS:
        return INSIDE
    return REST if order == "long-first" else ("turns",)


def recipe_of(text: str) -> Recipe:
    """The recipe that a line means. :raises ValueError: it is none."""
    values: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        values[name] = value
    if sorted(values) != sorted(one.name for one in fields(Recipe)):
        raise ValueError(f"{text[:100]!r} is no recipe")
    return Recipe(**values)


def recipes() -> Iterator[Recipe]:
    """Every sentence of the grammar, in a fixed order."""
    for order in ORDERS:
        for inside, plain, place, kick in product(inside_of(order), PLAIN, PLACES, KICKS):
            yield Recipe(order, inside, plain, place, kick)


_ORDER_WORDS = {
    "groups-by-arrival": "groups of tasks, known by their cgroup, one after the other in order of arrival",
    "groups-by-remaining": (
        "groups of tasks, known by their cgroup, one after the other: by hints the one with the least work left first"
    ),
    "long-first": "of the jobs that hints know the long ones first",
    "in-order": "the jobs that hints know in order of submission, each run to its end",
    "longest-first": "of the jobs that hints know always the longest first",
    "shortest-first": "of the jobs that hints know always the one with the least work left first",
}
_INSIDE_WORDS = {
    "turns": "",
    "longest-first": "inside of a group the longest job first",
    "shortest-first": "inside of a group the job with the least work left first",
    "begun-first": "inside of a group what was begun is finished first",
    "in-order": "the others in order of submission, each run to its end",
}
_PLAIN_WORDS = {
    "fair": "by weighted virtual time",
    "turns": "in turns",
    "short-bursts": "those with short bursts first",
}
_PLACE_WORDS = {
    "any-idle": "",
    "previous-idle": "a task that wakes up goes past the queue only to the CPU it ran on last",
    "whoever-is-first": "idle CPUs are woken up for a task, but whoever is free first takes it",
}


def words(recipe: Recipe) -> str:
    """What it does, as one sentence without a full stop."""
    others = "all other tasks" if recipe.jobs else "all tasks"
    parts = [
        _ORDER_WORDS.get(recipe.order, ""),
        _INSIDE_WORDS[recipe.inside],
        f"{others} {_PLAIN_WORDS[recipe.plain]}",
        _PLACE_WORDS[recipe.place],
        "a task with short bursts interrupts when it wakes up" if recipe.kick == "latency" else "",
    ]
    return "; ".join(part for part in parts if part)
