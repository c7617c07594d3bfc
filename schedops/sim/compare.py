"""Runs of two schedulers on the same plans to one table: medians, paired changes, their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schedops.model.simulated import SimClass, SimFigure
from schedops.model.simulation import SimPlan, SimResult
from schedops.model.workload import Workload
from schedops.sim.figures import FIGURES, figures, label_figures, members_of
from schedops.stats.interval import Interval, paired_interval
from schedops.stats.summary import median

CONFIDENCE = 0.95
FLOOR = "floor_ms"
_PER_FLOOR, _MS = "_per_floor", "_ms"
Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is kept of one run.

    :param values: metrics of the workload and figures of the run, by name.
    :param classes: label -> (number of tasks, figures).
    """

    values: Values
    classes: Mapping[str, tuple[int, Values]] = field(default_factory=dict)


Pair = tuple[Shown, Shown]  # baseline and policy, on the same seed


def shown(plan: SimPlan, result: SimResult, metrics: Values) -> Shown:
    """:param metrics: the workload's own, which win over a figure of the same name."""
    members = members_of(plan)
    classes = {name: (len(members[at]), label_figures(result, at, members[at])) for at, name in enumerate(plan.labels)}
    return Shown({**figures(plan, result), **metrics, **_floor(metrics)}, classes)


def table_of(workload: Workload, pairs: Sequence[Pair], units: Mapping[str, str]) -> tuple[SimFigure, ...]:
    """Objectives and guards of the workload, the floor, its other metrics, then every figure that the runs have.

    :param units: of the workload's own metrics, in their order.
    """
    wanted = _wanted(workload)
    values = [(base.values, new.values) for base, new in pairs]
    rows = []
    for name in dict.fromkeys((*wanted, FLOOR, *units, *FIGURES)):
        meaning = FIGURES.get(name)
        row = figure(
            name,
            units.get(name) or (meaning.unit if meaning else "ms"),
            values,
            role="floor" if name == FLOOR else "figure",
            better=meaning.better if meaning else "",
        )
        rows += [replace(row, **wanted.get(name, {}))] if row is not None else []
    return tuple(rows)


def classes_of(pairs: Sequence[Pair]) -> tuple[SimClass, ...]:
    """One for each label, when there are several."""
    labels = dict.fromkeys(label for _, new in pairs for label in new.classes)
    return tuple(_class(label, pairs) for label in labels) if len(labels) > 1 else ()


def figure(
    name: str, unit: str, pairs: Sequence[tuple[Values, Values]], *, role: str, better: str = ""
) -> SimFigure | None:
    """One row; None when no run has it. The change is over the seeds that have it on both sides."""
    sides = [[pair[side][name] for pair in pairs if name in pair[side]] for side in (0, 1)]
    if not any(sides):
        return None
    paired = [(base[name], new[name]) for base, new in pairs if name in base and name in new]
    estimate, low, high = change(paired)
    return SimFigure(
        name=name,
        unit=unit,
        role=role,
        better=better,
        baseline=median(sides[0]) if sides[0] else None,
        policy=median(sides[1]) if sides[1] else None,
        estimate=estimate,
        low=low,
        high=high,
        pairs=len(paired),
    )


def change(pairs: Sequence[tuple[float, float]]) -> tuple[float | None, float | None, float | None]:
    """Estimate, low and high of policy by baseline - 1; None where there is nothing to divide by.

    By the logarithms of the ratios, as the gate does it; where a value is 0 (a latency may be), by the differences,
    as a fraction of the baseline's median.
    """
    if not pairs or any(value < 0 or not math.isfinite(value) for pair in pairs for value in pair):
        return None, None, None
    if all(value > 0 for pair in pairs for value in pair):
        found = paired_interval([math.log(new / base) for base, new in pairs], confidence=CONFIDENCE)
        return _each(found, math.expm1)
    middle = median([base for base, _ in pairs])
    if not middle:
        return None, None, None
    found = paired_interval([new - base for base, new in pairs], confidence=CONFIDENCE)
    return _each(found, lambda difference: max(-1.0, difference / middle))  # nothing can shrink below 0


def _wanted(workload: Workload) -> dict[str, dict[str, Any]]:
    # metric -> what the workload says of it
    found: dict[str, dict[str, Any]] = {}
    for one in workload.objectives:
        words = f"{one.direction}, {one.min_effect:.0%} or more"
        found[one.metric] = {"role": "objective", "wanted": words, "limit": one.min_effect, "better": one.direction}
    for guard in workload.guards:
        words = f"{guard.max_harm:.0%} worse at most" + ("" if guard.hard else " (reported)")
        said = {"role": "guard", "wanted": words, "limit": guard.max_harm, "better": guard.direction}
        found.setdefault(guard.metric, said)
    return found


def _floor(metrics: Values) -> dict[str, float]:
    # A metric that is there by itself and by the floor says what the floor was.
    for name, value in metrics.items():
        whole = metrics.get(name.removesuffix(_PER_FLOOR) + _MS)
        if name.endswith(_PER_FLOOR) and whole is not None and value > 0:
            return {FLOOR: whole / value}
    return {}


def _class(label: str, pairs: Sequence[Pair]) -> SimClass:
    having = [(base.classes[label], new.classes[label]) for base, new in pairs if _both_have(label, base, new)]
    return SimClass(
        label=label,
        tasks=round(median([tasks for _, (tasks, _) in having])) if having else 0,
        figures=tuple(_rows([(base, new) for (_, base), (_, new) in having])),
    )


def _rows(values: Sequence[tuple[Values, Values]]) -> Iterator[SimFigure]:
    for name, meaning in FIGURES.items():
        row = figure(name, meaning.unit, values, role="figure", better=meaning.better)
        if row is not None:
            yield row


def _both_have(label: str, base: Shown, new: Shown) -> bool:
    return label in base.classes and label in new.classes


def _each(found: Interval, scale: Callable[[float], float]) -> tuple[float | None, float | None, float | None]:
    estimate, low, high = (None if value is None else scale(value) for value in (found.estimate, found.low, found.high))
    return estimate, low, high
