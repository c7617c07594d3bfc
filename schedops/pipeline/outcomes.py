"""What a comparison came to, as a line of the policy's history."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.decision import Decision
from schedops.model.environment import Environment, HostFacts
from schedops.model.evidence import Evidence
from schedops.model.outcome import Effect, Outcome, OutcomeMachine
from schedops.model.policy import ParamValue
from schedops.model.workload import Workload
from schedops.schema.canonical import digest_of


def machine_of(host: HostFacts, *, cpus: int, accelerator: str) -> OutcomeMachine:
    """The machine as outcomes name it. Its kernel, microcode and settings change and leave it the same machine.

    :param cpus: that the runs had; *accelerator*: of the guest they ran in.
    """
    lasting = HostFacts(
        kernel="",
        cpu_model=host.cpu_model,
        cpus=host.cpus,
        governor="",
        smt="",
        turbo="",
        mitigations=(),
        microcode="",
        virtualisation=host.virtualisation,
    )
    return OutcomeMachine(
        fingerprint=digest_of(lasting), cpus=cpus, accelerator=accelerator, cpu_model=host.cpu_model[:200]
    )


def outcome_of(
    workload: Workload,
    classes: Sequence[str],
    params: Sequence[ParamValue],
    decision: Decision,
    evidence: Evidence,
    *,
    environment: Environment,
) -> Outcome:
    """One line of history.

    :param classes: of the profile. :param params: that were measured, where they differ from the defaults.
    :param environment: in which it was measured.
    """
    direction = {one.metric: one.direction for one in workload.objectives}
    effects = tuple(
        Effect(
            metric=reason.metric,
            direction=direction[reason.metric],
            baseline=reason.baseline,
            estimate=reason.estimate,
            low=reason.low,
            high=reason.high,
        )
        for reason in decision.reasons
        if reason.role == "objective" and reason.arm == "candidate" and reason.metric in direction
    )
    return Outcome(
        policy=decision.policy,
        policy_sha256=evidence.policy_sha256,
        params=tuple(sorted(params, key=lambda param: param.name)),
        workload=workload.name,
        classes=tuple(classes),
        machine=machine_of(environment.host, cpus=environment.cpus, accelerator=environment.accelerator),
        kernel=environment.kernel,
        rung=decision.rung,
        verdict=decision.verdict,
        effects=effects,
        evidence_sha256=digest_of(evidence),
        created=evidence.created,
    )
