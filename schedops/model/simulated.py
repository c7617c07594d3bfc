"""A comparison of simulated runs, ready to be shown. Nothing in it was measured, and it says so."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue
from schedops.model.simulation import SimEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class SimFigure:
    """One figure: median over the seeds of each side, and the change from baseline to policy.

    :param role: objective | guard | floor | figure.
    :param wanted: what the workload asks of it, in words.
    :param limit: of an objective the smallest change worth having, of a guard the largest harm; fractions.
    :param better: lower | higher | empty when neither is.
    :param estimate: change as a fraction of the baseline, negative = smaller; Hodges-Lehmann over pairs of seeds.
    :param low: None together with *high* when there are too few seeds for an interval.
    """

    name: str
    unit: str
    role: str
    wanted: str = ""
    limit: float | None = None
    better: str = ""
    baseline: float | None = None
    policy: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimClass:
    """The figures of the tasks of one label."""

    label: str
    tasks: int
    figures: tuple[SimFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEjection:
    """What a run came to whose policy was ejected on the way: the rest of it ran on EEVDF.

    :param makespan_ms: of the whole run; None: not every task came to its end. *baseline_ms*: on the baseline.
    """

    ejected_ms: float
    makespan_ms: float | None
    baseline_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimComparison:
    """A policy against a baseline on the same plans.

    :param rung: always ``simulated``: nothing here was measured.
    :param machine: name of the simulated machine, *machine_sha256* the digest of its document.
    :param confidence: of the intervals.
    :param baseline_end: how the baseline's runs ended; of several the first that was not ``done``.
    :param policy_end: likewise of the policy's.
    :param failed_seed: of that run of the policy; -1: all of them are done.
    :param after_ejection: what became of that run; None: the policy was not ejected, or the run ended with it.
    :param events: decisions, wake-ups, ticks and completions of all runs together.
    """

    rung: str = "simulated"
    workload: str
    policy: str
    baseline: str
    params: tuple[ParamValue, ...] = ()
    machine: str
    machine_sha256: str
    cpus: int
    seeds: tuple[int, ...]
    confidence: float
    figures: tuple[SimFigure, ...]
    classes: tuple[SimClass, ...]
    baseline_end: SimEnd
    policy_end: SimEnd
    failed_seed: int = -1
    after_ejection: AfterEjection | None = None
    events: int = 0
