"""Raw samples of a comparison. Everything the gate concludes can be computed again from this."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.guest import SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup


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
    :param rung: where it comes from when that is not where the measurements as a whole do; then nothing is compared.
    :param valid: exit codes 0 and the right scheduler in charge before and after; *why_invalid* says what was not.
    """

    round: int
    order: int  # position within its round
    arm: str
    seed: int
    setup: RunSetup
    before: SchedState
    after: SchedState
    reading: RunReading
    metrics: tuple[MetricValue, ...]
    valid: bool
    why_invalid: str = ""
    rung: str = ""  # of schedops.model.rung; empty: that of the measurements


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """The jobs of one round; all arms of a round run the same jobs."""

    round: int
    plan: JobPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """A comparison of arms in one boot."""

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
