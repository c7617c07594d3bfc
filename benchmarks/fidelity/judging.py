"""Runs of both sides to cells, and cells to what they say together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schedops.sim.compare import change
from schedops.stats.ranks import Agreement, agreement, kendall_tau_b, spearman
from schedops.stats.summary import median

from .cells import AGAIN, DEFAULTS, MEASURES, REFERENCE, Measure

NONE = 0.05  # what these workloads call worth having: an interval within it shows no effect

Values = Mapping[str, float]
Runs = Mapping[str, Mapping[int, Mapping[str, Values]]]  # workload, round, arm
FORETOLD = (Agreement.SAME, Agreement.NEITHER)
EFFECTS = (Agreement.SAME, Agreement.WRONG, Agreement.MISSED)


@dataclass(frozen=True, slots=True)
class Change:
    """Against EEVDF, as a fraction; None where there is too little to say it."""

    estimate: float | None
    low: float | None
    high: float | None
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure of a policy on a workload, on both sides.

    :param said: None: no interval could be measured.
    """

    workload: str
    arm: str
    measure: Measure
    simulated: Change
    measured: Change
    said: Agreement | None

    @property
    def error(self) -> float | None:
        """Simulated less measured change, as a fraction."""
        if self.simulated.estimate is None or self.measured.estimate is None:
            return None
        return self.simulated.estimate - self.measured.estimate

    @property
    def told(self) -> bool:
        """The VM can tell what is the case."""
        return self.said is not None and self.said is not Agreement.UNSURE

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.workload}, {self.arm}, {self.measure.name}"


@dataclass(frozen=True, slots=True)
class Noise:
    """EEVDF against itself in the VM: any change is noise."""

    workload: str
    measure: Measure
    measured: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What cells say together. Errors and correlations are of those that the VM can tell.

    :param counts: cells by what was said; None: no interval.
    :param foretold: share of the cells that the VM can tell in which the simulator said the same.
    :param factor: median over cells of how many times one side's ratio to EEVDF is the other's.
    """

    title: str
    cells: int
    counts: Mapping[Agreement | None, int]
    foretold: float | None
    rho: float | None
    tau: float | None
    median_error: float | None
    worst: Cell | None
    factor: float | None


@dataclass(frozen=True, slots=True)
class Order:
    """How the schedulers, EEVDF among them, are ordered by one figure on both sides."""

    workload: str
    measure: Measure
    rho: float | None
    tau: float | None
    effects: int  # policies for which the VM shows one


def cells_of(simulated: Runs, measured: Runs, policies: Sequence[str]) -> tuple[Cell, ...]:
    """Every figure of every policy, in the order of :data:`MEASURES`; the simulator's rounds are those of the VM."""
    return tuple(
        _cell(workload, arm, measure, simulated.get(workload, {}), measured.get(workload, {}))
        for workload, measures in MEASURES.items()
        if workload in measured
        for measure in measures
        for arm in policies
    )


def noise_of(measured: Runs) -> tuple[Noise, ...]:
    """The second run of EEVDF in each round against the first."""
    found = []
    for workload, measures in MEASURES.items():
        for measure in measures:
            name = measure.name
            every = measured.get(workload, {}).values()
            rounds = [arms for arms in every if all(_has(arms, default, name) for default in DEFAULTS)]
            if rounds:
                pairs = [(arms[REFERENCE][name], arms[AGAIN][name]) for arms in rounds]
                found.append(Noise(workload, measure, Change(*change(pairs), len(pairs))))
    return tuple(found)


def summary_of(title: str, cells: Iterable[Cell]) -> Summary:
    """All of *cells* together."""
    cells = tuple(cells)
    counts: dict[Agreement | None, int] = {}
    for cell in cells:
        counts[cell.said] = counts.get(cell.said, 0) + 1
    told = [cell for cell in cells if cell.told]
    ours, theirs = [_simulated(cell) for cell in told], [_measured(cell) for cell in told]
    errors = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    factors = [_factor(a, b) for a, b in zip(ours, theirs, strict=True) if min(a, b) > -1]
    return Summary(
        title=title,
        cells=len(cells),
        counts=counts,
        foretold=sum(cell.said in FORETOLD for cell in told) / len(told) if told else None,
        rho=spearman(ours, theirs),
        tau=kendall_tau_b(ours, theirs),
        median_error=median(errors) if errors else None,
        worst=max(told, key=_off, default=None),
        factor=median(factors) if factors else None,
    )


def orders_of(cells: Sequence[Cell]) -> tuple[Order, ...]:
    """One for each figure of each workload."""
    found = []
    for workload, measures in MEASURES.items():
        for measure in measures:
            mine = [c for c in cells if c.workload == workload and c.measure == measure and c.error is not None]
            if mine:
                found.append(_order(workload, measure, mine))
    return tuple(found)


def worst_of(cells: Iterable[Cell]) -> list[Cell]:
    """Those that the VM can tell, the largest error first."""
    return sorted((cell for cell in cells if cell.told), key=_off, reverse=True)


def _cell(
    workload: str,
    arm: str,
    measure: Measure,
    simulated: Mapping[int, Mapping[str, Values]],
    measured: Mapping[int, Mapping[str, Values]],
) -> Cell:
    theirs = {number: pair for number, arms in measured.items() if (pair := _pair(arms, arm, measure.name))}
    ours = {number: pair for number, arms in simulated.items() if (pair := _pair(arms, arm, measure.name))}
    both = [number for number in theirs if number in ours]
    foretold, found = _change(ours, both or list(ours)), _change(theirs, both)
    said = None
    if foretold.estimate is not None and found.low is not None and found.high is not None:
        said = agreement(foretold.estimate, found.low, found.high, none=NONE)
    return Cell(workload=workload, arm=arm, measure=measure, simulated=foretold, measured=found, said=said)


def _pair(arms: Mapping[str, Values], arm: str, name: str) -> tuple[float, float] | None:
    """EEVDF, by the geometric mean where it ran twice, and the policy."""
    bases = [arms[default][name] for default in DEFAULTS if _has(arms, default, name)]
    if not bases or not _has(arms, arm, name):
        return None
    return math.prod(bases) ** (1 / len(bases)), arms[arm][name]


def _has(arms: Mapping[str, Values], arm: str, name: str) -> bool:
    return arm in arms and name in arms[arm]


def _change(pairs: Mapping[int, tuple[float, float]], rounds: Sequence[int]) -> Change:
    return Change(*change([pairs[number] for number in rounds]), len(rounds))


def _order(workload: str, measure: Measure, cells: Sequence[Cell]) -> Order:
    # Less than a tenth of a per cent apart is no order.
    ours, theirs = ([0.0, *(round(side(cell), 3) for cell in cells)] for side in (_simulated, _measured))
    return Order(
        workload,
        measure,
        spearman(ours, theirs),
        kendall_tau_b(ours, theirs),
        sum(cell.said in EFFECTS for cell in cells),
    )


def _simulated(cell: Cell) -> float:
    assert cell.simulated.estimate is not None
    return cell.simulated.estimate


def _measured(cell: Cell) -> float:
    assert cell.measured.estimate is not None
    return cell.measured.estimate


def _off(cell: Cell) -> float:
    return abs(cell.error or 0.0)


def _factor(ours: float, theirs: float) -> float:
    return math.exp(abs(math.log((1 + ours) / (1 + theirs))))
