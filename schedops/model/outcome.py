"""What came of a policy: one line each of ``policies/library/<name>/history.jsonl``."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue
from schedops.model.verdict import Verdict

EXPERIMENTAL, VERIFIED, PROVEN, RETIRED = "experimental", "verified", "proven", "retired"
STATES = (EXPERIMENTAL, VERIFIED, PROVEN)  # each asks for more than the one before it; RETIRED is beside them


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMachine:
    """The machine that an outcome was measured on.

    :param fingerprint: digest of what of it figures depend on and the kernel does not; equal ones are one machine.
    :param cpus: that the runs had; *accelerator* as in Environment, ``none`` on the host itself.
    """

    fingerprint: str
    cpus: int
    accelerator: str
    cpu_model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Change of an objective as a fraction of the baseline, negative = smaller, with its interval where there is one.

    :param direction: lower | higher: which way is better.
    """

    metric: str
    direction: str
    baseline: str
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the gate said of a policy on a workload, once.

    :param policy_sha256: digest of the source that was measured; a changed policy has to earn its state again.
    :param classes: of the workload's profile, most specific first.
    :param rung: of schedops.model.rung; simulated outcomes inform a search, and count for no state.
    :param evidence_sha256: digest of the Evidence over everything that was measured.
    :param created: ISO 8601, UTC: when the evidence was.
    """

    policy: str
    policy_sha256: str
    params: tuple[ParamValue, ...] = ()
    workload: str
    classes: tuple[str, ...]
    machine: OutcomeMachine
    kernel: str
    rung: str
    verdict: Verdict
    effects: tuple[Effect, ...]
    evidence_sha256: str
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A state that somebody gave a policy, as a line of its history.

    :param state: of :data:`STATES`, or RETIRED.
    :param policy_sha256: digest of the source that it was given to.
    """

    policy: str
    policy_sha256: str
    state: str
    because: str
    created: str


@dataclass(frozen=True, slots=True)
class History:
    """All lines of one policy, each once, oldest first."""

    outcomes: tuple[Outcome, ...] = ()
    standings: tuple[Standing, ...] = ()
