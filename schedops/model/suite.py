"""The benchmark of policies: what was run, its raw samples, and the score that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.environment import Environment
from schedops.model.measurements import MetricValue
from schedops.model.policy import ParamValue
from schedops.model.simulation import SimEnd
from schedops.model.workload import Objective, Slo

CONFIGURED = "T1"  # code of the library that comes with schedops; only parameters were chosen
WRITTEN = "T2"  # code of its own
# How a cell on a kernel may end, beside what simulated ones know (schedops.model.simulation.SimVerdict):
INVALID = "invalid"  # it did not do its work, and neither when it was repeated
UNAVAILABLE = "unavailable"  # nothing was run, for a reason that may go away


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteScheduler:
    """Who schedules in some of the cells.

    :param label: name and parameters; no two of a suite have the same.
    :param arm: eevdf | informed | candidate: how jobs are launched.
    :param sha256: digest of everything about it that runs depend on.
    :param track: T1 | T2, or empty for built-in schedulers.
    """

    label: str
    arm: str
    sha256: str
    track: str = ""
    params: tuple[ParamValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteWorkload:
    """What the score needs of a workload.

    :param sha256: digest of the whole document.
    :param hidden: it is none of the workloads that everybody can read.
    """

    name: str
    sha256: str
    hidden: bool = False
    objectives: tuple[Objective, ...]
    slos: tuple[Slo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteGround:
    """What measured cells depend on beside what they are asked; only those of one ground are compared.

    :param programs: versions of the packages that the workload's programs come from; empty: its model's jobs ran.
    """

    environment: Environment
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCell:
    """One run of one scheduler on one workload with one seed.

    :param key: digest of everything that the run depends on and that is asked for.
    :param metrics: empty unless *end* is ``done``; what the run did not show is not among them.
    :param ground: digest of one of the results' grounds; empty: simulated, or nothing was run.
    :param invalid: why runs before this one did not count: each was repeated.
    """

    key: str
    workload: str
    scheduler: str
    seed: int
    end: SimEnd
    metrics: tuple[MetricValue, ...] = ()
    ground: str = ""
    invalid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResults:
    """Raw samples of a suite, or of some shards of it, with all that the score is computed from.

    :param rung: of :mod:`schedops.model.rung`.
    :param tool_sha256: of the schedops that ran it.
    :param schedulers: the first one is the baseline.
    :param machine: of simulated cells; else the kernel, and its digest is of that and its size.
    :param cells: by workload, seed and scheduler, in the order of these; cells that were not run are missing.
    :param grounds: those of the cells.
    """

    rung: str
    tool_sha256: str
    machine: str
    machine_sha256: str
    cpus: int
    scale: float
    cold: bool
    seeds: tuple[int, ...]
    schedulers: tuple[SuiteScheduler, ...]
    workloads: tuple[SuiteWorkload, ...]
    cells: tuple[SuiteCell, ...] = ()
    grounds: tuple[SuiteGround, ...] = ()

    def __post_init__(self) -> None:
        labels, names = [one.label for one in self.schedulers], [one.name for one in self.workloads]
        for what, found in (("seeds", self.seeds), ("schedulers", labels), ("workloads", names)):
            if not found or len(set(found)) < len(found):
                raise ValueError(f"{what} must be there, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """One objective of one workload.

    :param alpha: its weight in the workload; the weights of a workload add up to 1.
    :param baseline: median over the seeds, *policy* likewise.
    :param factor: above 1 is better: baseline by policy where lower is better, else policy by baseline;
        Hodges-Lehmann over the logarithms, paired by seed. None: it cannot be computed.
    :param low: None together with *high* when there are too few seeds for an interval.
    """

    metric: str
    unit: str
    direction: str
    alpha: float
    baseline: float | None = None
    policy: float | None = None
    factor: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SloJudgement:
    """:param value: median over the seeds; None together with *met* when a seed has no value.

    :param seeds_met: how many seeds keep the bound by themselves.
    """

    slo: Slo
    value: float | None
    met: bool | None
    seeds_met: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadScore:
    """:param points: sum of alpha x factor, 0 when a hard SLO is missed; None when there is no result, and *why*.

    :param broke: there is no result because of what the policy did (ejected, broken, stuck).
    """

    workload: str
    hidden: bool
    points: float | None
    improvements: tuple[Improvement, ...] = ()
    slos: tuple[SloJudgement, ...] = ()
    why: str = ""
    broke: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What an agent may spend, in any one unit, and what a unit too much costs.

    :param price: lambda: points for an overuse of the whole budget.
    :param spent: None when nobody said.
    """

    budget: float
    price: float
    spent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerScore:
    """:param points: sum over the workloads that have a result.

    :param penalty: lambda x budget overuse; None when it cannot be computed.
    :param score: points - penalty; None with *penalty*.
    """

    scheduler: str
    track: str
    points: float
    penalty: float | None
    score: float | None
    workloads: tuple[WorkloadScore, ...]
    budget: Budget | None = None

    @property
    def counted(self) -> int:
        """Workloads with a result."""
        return sum(one.points is not None for one in self.workloads)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteScore:
    """:param results_sha256: of the results that it was computed from.

    :param schedulers: the first one is the baseline itself.
    """

    results_sha256: str
    confidence: float
    schedulers: tuple[SchedulerScore, ...]
