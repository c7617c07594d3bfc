"""Raw samples of a comparison. Everything the gate concludes can be computed again from this."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.environment import Environment
from schedops.model.guest import SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.programs import ProgramPlan, ProgramReading

FRESH, SEARCH = "fresh", "search"  # where a sample comes from: measured for a verdict, or to find a candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """One metric of one run."""

    metric: str
    unit: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one arm.

    :param arm: eevdf | informed | candidate.
    :param before: state before the run; for the candidate it proves the policy was in charge.
    :param after: state after it.
    :param reading: of the launcher's jobs; None: real programs ran.
    :param programs: of real programs, the outputs of jobs that say a metric; None: the launcher's jobs ran.
    :param rung: where it comes from when that is not where the measurements as a whole do; then nothing is compared.
    :param origin: FRESH, or SEARCH: it helped to choose the candidate, so it flatters it and proves nothing about it.
    :param valid: exit codes 0 and the right scheduler in charge before and after; *why_invalid* says what was not.
    """

    round: int
    order: int  # position within its round
    arm: str
    seed: int
    setup: RunSetup
    before: SchedState
    after: SchedState
    metrics: tuple[MetricValue, ...]
    valid: bool
    why_invalid: str = ""
    rung: str = ""  # of schedops.model.rung; empty: that of the measurements
    origin: str = FRESH
    reading: RunReading | None = None
    programs: ProgramReading | None = None

    def __post_init__(self) -> None:
        if (self.reading is None) == (self.programs is None):
            raise ValueError("a sample has the reading of jobs or of programs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """The jobs of one round; all arms of a round run the same jobs.

    :param plan: None: the programs of :attr:`Measurements.programs`.
    """

    round: int
    plan: JobPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPrograms:
    """Real programs that were measured, in every round the same.

    :param plan: without what differs between the arms: that is in the samples' setups.
    :param versions: of their packages, ``package version`` each.
    """

    plan: ProgramPlan
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """A comparison of arms in one boot.

    :param looks: after how many rounds the gate looks, decided before the first run; empty: once, at the end.
    :param workload_sha256: of the workload that was measured.
    :param environment: before the first run; *environment_after*: after the last one. None: not recorded.
    :param programs: real programs that ran; None: the launcher's jobs.
    """

    workload: str
    policy: str
    kernel: str
    cpus: int
    accelerator: str
    object_sha256: str
    rung: str  # of schedops.model.rung
    warmup_rounds: int  # run first and dropped
    rounds: tuple[RoundPlan, ...]
    samples: tuple[Sample, ...]
    seconds: float
    looks: tuple[int, ...] = ()
    workload_sha256: str = ""
    environment: Environment | None = None
    environment_after: Environment | None = None
    programs: MeasuredPrograms | None = None
