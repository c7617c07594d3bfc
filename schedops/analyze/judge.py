"""Figures to classes with confidence, and how each rule came to its score. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schedops.analyze.classes import cpu_bound, wakeup_heavy
from schedops.analyze.played import ROLE_SHARE
from schedops.analyze.rules import RULES, UNKNOWN, Rule
from schedops.model.profile import ClassFinding, Figure

CLEAR = 0.8  # confidence at which nobody has to look closer
NAMED = 0.5  # below it a class is not named
_MOST = 0.95  # one run is no certainty


@dataclass(frozen=True, slots=True)
class Weighed:
    """One rule held against the figures, with (how far fulfilled, words, threshold) of each that it needs.

    :param beside: as :class:`schedops.analyze.rules.Rule` says.
    """

    name: str
    score: float
    needs: tuple[tuple[float, str, str], ...]
    beside: bool = False


def judge(figures: Sequence[Figure]) -> tuple[ClassFinding, ...]:
    """Classes, the surest first, then what holds besides (``memory-bound``, ``wakeup-heavy``, ``cpu-bound``).

    Never empty: ``mixed`` when no rule speaks: surely when tasks of several roles share the CPUs.
    """
    values = {figure.name: figure.value for figure in figures}
    weighed = weigh(figures)
    kinds = [one for one in weighed if not one.beside]
    found = [_finding(one) for one in kinds if one.score >= NAMED] or [_mixed(values, kinds[0])]
    known = {one.name for one in found}
    besides = [_finding(one) for one in weighed if one.beside and one.score >= NAMED]
    besides += [one for rule in (wakeup_heavy, cpu_bound) if (one := rule(values)) and one.name not in known]
    return (*found, *besides)


def told(figures: Sequence[Figure]) -> tuple[ClassFinding, ...]:
    """The classes for which these figures are enough, of a source that does not have all of them; perhaps none."""
    return tuple(_finding(one) for one in weigh(figures) if one.score >= NAMED)


def weigh(figures: Sequence[Figure]) -> tuple[Weighed, ...]:
    """Every class by its best rule, the surest first; equal ones in the order of the rules."""
    values = {figure.name: figure.value for figure in figures}
    best: dict[str, Weighed] = {}
    for rule in RULES:
        now = _weighed(rule, values)
        if rule.name not in best or now.score > best[rule.name].score:
            best[rule.name] = now
    return tuple(sorted(best.values(), key=lambda one: -one.score))


def _weighed(rule: Rule, values: Mapping[str, float]) -> Weighed:
    needs = tuple(
        (
            need.fulfilled(values),
            need.said(values),
            f"{need.figure} {'>' if need.yes > need.no else '<'} {need.threshold:.3g}",
        )
        for need in rule.needs
    )
    return Weighed(rule.name, rule.score(values), needs, rule.beside)


def _finding(weighed: Weighed) -> ClassFinding:
    because = "; ".join(words for _, words, _ in weighed.needs)
    return ClassFinding(name=weighed.name, because=because, confidence=round(min(_MOST, weighed.score), 2))


def _mixed(values: Mapping[str, float], nearest: Weighed) -> ClassFinding:
    several = values.get("roles", 0) >= 2
    sure = (1 - nearest.score) * (1.0 if several else 0.6)
    if values.get("sleeper_cpu_share", 0) > ROLE_SHARE:  # who wakes them may say more
        sure = min(sure, UNKNOWN)
    kinds = f"tasks of {values.get('roles', 0):.0f} roles share the CPUs; " if several else ""
    because = f"{kinds}no rule speaks, the nearest is {nearest.name} ({nearest.score:.2f})"
    return ClassFinding(name="mixed", because=because, confidence=round(min(_MOST, sure), 2))
