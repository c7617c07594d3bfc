"""Runs of two schedulers on the same plans to one table: medians, paired changes, their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schedops.model.simulated import SimClass, SimFigure
from schedops.model.simulation import SimPlan, SimResult
from schedops.model.workload import Workload
from schedops.sim.figures import FIGURES, figures, label_figures
from schedops.stats.interval import paired_interval
from schedops.stats.summary import median

CONFIDENCE = 0.95
Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pair:
    """The two runs of one seed, each with a plan of its own: arms may launch the same work differently.

    :param metrics: the workload's own metrics of the baseline's run and of the policy's, empty when it has none.
    """

    seed: int
    plans: tuple[SimPlan, SimPlan]
    results: tuple[SimResult, SimResult]
    metrics: tuple[Values, Values] = field(default_factory=lambda: ({}, {}))


def table_of(workload: Workload, pairs: Sequence[Pair], units: Mapping[str, str]) -> tuple[SimFigure, ...]:
    """Objectives and guards of the workload first, then its other metrics, then every figure that the runs have.

    :param units: of the workload's own metrics.
    """
    wanted = _wanted(workload)
    own = [_both(pair.metrics, _figures_of(pair)) for pair in pairs]
    names = [*wanted, *(name for name in units if name not in wanted)]
    names += [name for name in FIGURES if name not in names]
    return tuple(row for name in names if (row := _row(name, own, units, wanted)) is not None)


def classes_of(pairs: Sequence[Pair]) -> tuple[SimClass, ...]:
    """One for each label, when there are several; a label that only some seeds have is compared where it is."""
    labels = dict.fromkeys(label for pair in pairs for label in pair.plans[1].labels)
    if len(labels) < 2:
        return ()
    return tuple(_class(label, pairs) for label in labels)


def change(baseline: Sequence[float], policy: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Estimate, low and high of policy by baseline - 1; None where a value has no ratio."""
    if not baseline or any(value <= 0 or not math.isfinite(value) for value in (*baseline, *policy)):
        return None, None, None
    logs = [math.log(new / base) for base, new in zip(baseline, policy, strict=True)]
    found = paired_interval(logs, confidence=CONFIDENCE)
    return _fraction(found.estimate), _fraction(found.low), _fraction(found.high)


def _figures_of(pair: Pair) -> tuple[Values, Values]:
    return figures(pair.plans[0], pair.results[0]), figures(pair.plans[1], pair.results[1])


def _both(first: tuple[Values, Values], second: tuple[Values, Values]) -> tuple[Values, Values]:
    return {**second[0], **first[0]}, {**second[1], **first[1]}


def _wanted(workload: Workload) -> dict[str, tuple[str, str, str]]:
    # metric -> (role, wanted, better)
    found = {
        one.metric: ("objective", f"{one.direction}, {one.min_effect:.0%} or more", one.direction)
        for one in workload.objectives
    }
    for guard in workload.guards:
        words = f"{guard.max_harm:.0%} worse at most" + ("" if guard.hard else " (reported)")
        found.setdefault(guard.metric, ("guard", words, guard.direction))
    return found


def _row(
    name: str,
    pairs: Sequence[tuple[Values, Values]],
    units: Mapping[str, str],
    wanted: Mapping[str, tuple[str, str, str]],
) -> SimFigure | None:
    meaning = FIGURES.get(name)
    role, words, better = wanted.get(name, ("figure", "", meaning.better if meaning else ""))
    unit = units.get(name) or (meaning.unit if meaning else "")
    return figure(name, unit, pairs, role=role, wanted=words, better=better)


def figure(
    name: str, unit: str, pairs: Sequence[tuple[Values, Values]], *, role: str, wanted: str = "", better: str = ""
) -> SimFigure | None:
    """One row; None when no run of either side has it. The change is over seeds that have it on both sides."""
    sides = [[pair[side][name] for pair in pairs if name in pair[side]] for side in (0, 1)]
    if not any(sides):
        return None
    paired = [(pair[0][name], pair[1][name]) for pair in pairs if name in pair[0] and name in pair[1]]
    estimate, low, high = change([base for base, _ in paired], [new for _, new in paired])
    return SimFigure(
        name=name,
        unit=unit,
        role=role,
        wanted=wanted,
        better=better,
        baseline=median(sides[0]) if sides[0] else None,
        policy=median(sides[1]) if sides[1] else None,
        estimate=estimate,
        low=low,
        high=high,
        pairs=len(paired),
    )


def _class(label: str, pairs: Sequence[Pair]) -> SimClass:
    having = [pair for pair in pairs if all(label in plan.labels for plan in pair.plans)]
    number: Callable[[SimPlan], int] = lambda plan: plan.labels.index(label)  # noqa: E731 - used twice, one line
    values = [
        (
            label_figures(pair.plans[0], pair.results[0], number(pair.plans[0])),
            label_figures(pair.plans[1], pair.results[1], number(pair.plans[1])),
        )
        for pair in having
    ]
    rows = (
        figure(name, meaning.unit, values, role="figure", better=meaning.better) for name, meaning in FIGURES.items()
    )
    counts = [sum(task.label == number(pair.plans[1]) for task in pair.plans[1].tasks) for pair in having]
    return SimClass(label=label, tasks=round(median(counts)) if counts else 0, figures=tuple(filter(None, rows)))


def _fraction(log_ratio: float | None) -> float | None:
    return None if log_ratio is None else math.expm1(log_ratio)
