"""The role of observation: a profile to a paragraph and to targets with figures, each cited from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.profile import ClassFinding, Figure, Profile
from schedops.model.workload import Guard, Objective, Workload

UNSURE = 0.6  # confidence below which a closer look is worth its cost
_CITED = 8  # figures that a paragraph can bear


@dataclass(frozen=True, slots=True)
class Observation:
    """:param paragraph: what runs and what it lacks; every figure in it is one of the profile.

    :param targets: what has to come out, a line each.
    :param closer: the tier of profiling that would say more, and why; empty: the class is sure enough.
    """

    paragraph: str
    targets: tuple[str, ...]
    closer: str


def observe(workload: Workload, profile: Profile) -> Observation:
    """What the profile says of the workload, and what is wanted of it."""
    return Observation(_paragraph(profile), _targets(workload), _closer(profile))


def _paragraph(profile: Profile) -> str:
    where = f"{profile.cpus} CPUs, {profile.kernel}" + (f", {profile.tier}" if profile.tier != "profile" else "")
    said = profile.words or "; ".join(f"{one.name}: {one.because}" for one in profile.classes)
    said = f"{' '.join(said.split()).rstrip('.')}."
    return f"{said} Measured ({where}): {'; '.join(_cited(one) for one in profile.figures[:_CITED])}."


def _cited(figure: Figure) -> str:
    unit = "" if figure.unit in ("", "1", "count", "ratio") else f" {figure.unit}"
    return f"{figure.name.replace('_', ' ')} {figure.value:.4g}{unit}"


def _targets(workload: Workload) -> tuple[str, ...]:
    wanted = [_objective(one) for one in workload.objectives]
    wanted += [_guard(one) for one in workload.guards]
    bounds = [f"{_words(one.metric)} at {'most' if one.direction == 'lower' else 'least'} {one.bound:g} {one.unit}"
              for one in workload.slos if one.hard]  # fmt: skip
    return (*wanted, *bounds)


def _objective(one: Objective) -> str:
    less = "less" if one.direction == "lower" else "more"
    return f"{_words(one.metric)} {one.min_effect:.0%} {less} or better, against both defaults"


def _guard(one: Guard) -> str:
    return f"{_words(one.metric)} {one.max_harm:.0%} worse at most{'' if one.hard else ' (reported only)'}"


def _closer(profile: Profile) -> str:
    first = profile.classes[0] if profile.classes else None
    if first is not None and (first.confidence is None or first.confidence >= UNSURE):
        return ""
    next_tier = next((one for one in profile.costs if one.tier != profile.tier), None)
    if next_tier is None:
        return ""
    return (
        f"{_doubt(first)}; `schedops profile --tier {next_tier.tier}` would say more in about {next_tier.seconds:.0f} s"
    )


def _doubt(first: ClassFinding | None) -> str:
    if first is None or first.confidence is None:
        return "no class was found"
    return f"{first.name} is not sure, confidence {first.confidence:.2f}"


def _words(metric: str) -> str:
    return metric.replace("_", " ")
