"""Reasons in, one Decision out. The verdict starts at INCONCLUSIVE and has to be argued up to PASS."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.gate.claims import Claim, Sides, better, binding_verdict, guarded
from schedops.gate.conditions import ARMS, documents_match, enough_valid, stayed_in_charge, verified
from schedops.gate.rungs import one_measured_rung
from schedops.gate.summary import Case, summary
from schedops.model.decision import Decision, Reason
from schedops.model.measurements import Measurements
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload


def decide(
    workload: Workload, policy: str, measurements: Measurements, verification: VerificationReport | None
) -> Decision:
    """Should a pull request propose this policy?

    PASS needs all of: every condition (documents match, measured on one rung and not simulated, enough valid samples,
    policy in charge, verified); better than
    the default scheduler; better than the informed default; every hard guard held against the default scheduler.
    Guards against the informed default are reported only: the default scheduler is what hosts run today.

    A condition that does not hold decides alone, because the figures then do not count. After that FAIL beats ERROR
    beats INCONCLUSIVE. "Better" with several objectives is :func:`schedops.gate.claims.better`.

    *recommendation*: ``policy`` on PASS; ``settings`` on FAIL when the informed default alone is better than the
    default scheduler with every hard guard held; else ``nothing`` (an INCONCLUSIVE may become a draft, no more).
    """
    return judge(
        workload,
        policy,
        measurements,
        (*measured_conditions(workload, policy, measurements), verified(verification, policy)),
    )


def measured(workload: Workload, policy: str, measurements: Measurements) -> Decision:
    """What the measurements alone say, for a policy that nobody has proposed yet; not enough for a pull request."""
    return judge(workload, policy, measurements, measured_conditions(workload, policy, measurements))


def measured_conditions(workload: Workload, policy: str, measurements: Measurements) -> tuple[Reason, ...]:
    """The conditions that can be read off the measurements."""
    return (
        documents_match(workload, policy, measurements),
        one_measured_rung(measurements),
        *(enough_valid(measurements, arm) for arm in ARMS),
        stayed_in_charge(measurements),
    )


def judge(workload: Workload, policy: str, measurements: Measurements, conditions: tuple[Reason, ...]) -> Decision:
    """:func:`decide` with the conditions given."""
    findings = _find(workload, measurements, conditions)
    verdict = _argue(findings)
    advice = _recommend(verdict, findings)
    case = Case(workload=workload.name, policy=policy, verdict=verdict, recommendation=advice, rung=measurements.rung)
    return Decision(
        workload=workload.name,
        policy=policy,
        rung=measurements.rung,
        verdict=verdict,
        recommendation=advice,
        summary=summary(case, findings.deciding(), findings.informed_alone.reasons),
        reasons=findings.all(),
        confidence=_level(workload),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    conditions: tuple[Reason, ...]
    over_default: Claim
    over_informed: Claim
    guards: tuple[Reason, ...]
    reported: tuple[Reason, ...]
    informed_alone: Claim
    informed_guards: tuple[Reason, ...]

    def deciding(self) -> tuple[Reason, ...]:
        return (*self.conditions, *self.over_default.reasons, *self.over_informed.reasons, *self.guards)

    def all(self) -> tuple[Reason, ...]:
        return (*self.deciding(), *self.reported, *self.informed_alone.reasons, *self.informed_guards)


def _find(workload: Workload, measurements: Measurements, conditions: tuple[Reason, ...]) -> _Findings:
    level = _level(workload)
    over_default = Sides("candidate", "eevdf", level)
    over_informed = Sides("candidate", "informed", level)
    informed_alone = Sides("informed", "eevdf", level)
    return _Findings(
        conditions=conditions,
        over_default=better(workload, measurements, over_default),
        over_informed=better(workload, measurements, over_informed),
        guards=guarded(workload, measurements, over_default, binding=True),
        reported=guarded(workload, measurements, over_informed, binding=False),
        informed_alone=better(workload, measurements, informed_alone),
        informed_guards=guarded(workload, measurements, informed_alone, binding=True),
    )


def _level(workload: Workload) -> float:
    # One-sided, each objective at level 0.95 improves by chance in 2.5 % of the cases. Any of them may carry the claim,
    # so with more than two the level rises to keep that chance at 5 % in all (Bonferroni).
    return 1 - 0.1 / max(2, len(workload.objectives))


def _argue(findings: _Findings) -> Verdict:
    verdict = Verdict.INCONCLUSIVE
    failing = [reason.verdict for reason in findings.conditions if reason.verdict is not Verdict.PASS]
    if failing:
        return worst(failing)
    needed = (findings.over_default.verdict, findings.over_informed.verdict, binding_verdict(findings.guards))
    if any(one is not Verdict.PASS for one in needed):
        return worst(needed)
    if any(reason.role == "objective" and reason.verdict is Verdict.PASS for reason in findings.over_informed.reasons):
        verdict = Verdict.PASS
    return verdict


def _recommend(verdict: Verdict, findings: _Findings) -> str:
    if verdict is Verdict.PASS:
        return "policy"
    return "settings" if verdict is Verdict.FAIL and _settings_are_enough(findings) else "nothing"


def _settings_are_enough(findings: _Findings) -> bool:
    # What failed may be the candidate's alone (verification, policy in charge); the other two arms must be sound.
    of_candidate = {"verification", "policy in charge", "valid samples, candidate"}
    sound = [reason.verdict for reason in findings.conditions if reason.metric not in of_candidate]
    return (
        bool(sound)
        and all(one is Verdict.PASS for one in sound)
        and findings.informed_alone.verdict is Verdict.PASS
        and binding_verdict(findings.informed_guards) is Verdict.PASS
    )
