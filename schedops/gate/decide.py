"""Reasons in, one Decision out. The verdict starts at INCONCLUSIVE and has to be argued up to PASS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schedops.gate.claims import Claim, Sides, better, binding_verdict, guarded
from schedops.gate.conditions import (
    ARMS,
    documents_match,
    enough_valid,
    fresh_samples,
    same_environment,
    stayed_in_charge,
    verified,
)
from schedops.gate.looks import at_a_look, confidence_of, first_rounds, planned, reached, rounds_of
from schedops.gate.rungs import one_measured_rung
from schedops.gate.steadiness import no_order_effect, no_trend
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

    PASS needs all of: every condition (:func:`measured_conditions`, verified); better than the default scheduler;
    better than the informed default; every hard guard held against the default scheduler.
    Guards against the informed default are reported only: the default scheduler is what hosts run today.

    A condition that does not hold decides alone, because the figures then do not count. After that FAIL beats ERROR
    beats INCONCLUSIVE. "Better" with several objectives is :func:`schedops.gate.claims.better`.

    The looks are taken in turn; the first that is not INCONCLUSIVE decides, and rounds after it do not count.

    *recommendation*: ``policy`` on PASS; ``settings`` on FAIL when the informed default alone is better than the
    default scheduler with every hard guard held; else ``nothing`` (an INCONCLUSIVE may become a draft, no more).
    """
    proved = verified(verification, policy)
    return judge(workload, policy, measurements, lambda part: (*measured_conditions(workload, policy, part), proved))


def measured(workload: Workload, policy: str, measurements: Measurements) -> Decision:
    """What the measurements alone say, for a policy that nobody has proposed yet; not enough for a pull request."""
    return judge(workload, policy, measurements, lambda part: measured_conditions(workload, policy, part))


def measured_conditions(workload: Workload, policy: str, measurements: Measurements) -> tuple[Reason, ...]:
    """The conditions that can be read off the measurements.

    Documents match, measured on one rung and not simulated, at a planned look, enough valid samples that no search
    used, the environment stayed the same, the policy was in charge, no effect of order or time.
    """
    return (
        documents_match(workload, policy, measurements),
        one_measured_rung(measurements),
        at_a_look(workload, measurements),
        fresh_samples(measurements),
        same_environment(measurements),
        *(enough_valid(measurements, arm) for arm in ARMS),
        stayed_in_charge(measurements),
        no_order_effect(workload, measurements),
        no_trend(workload, measurements),
    )


Conditions = Callable[[Measurements], tuple[Reason, ...]]


def judge(workload: Workload, policy: str, measurements: Measurements, conditions: Conditions) -> Decision:
    """:func:`decide` with the conditions given, as a function of the measurements up to a look."""
    *earlier, last = reached(measurements) or (rounds_of(measurements),)
    for rounds in earlier:
        decision = _at(workload, policy, first_rounds(measurements, rounds), conditions)
        if decision.verdict is not Verdict.INCONCLUSIVE:
            return decision
    return _at(workload, policy, first_rounds(measurements, last), conditions)


def _at(workload: Workload, policy: str, measurements: Measurements, conditions: Conditions) -> Decision:
    looks, rounds = planned(measurements), rounds_of(measurements)
    confidence = confidence_of(workload, looks)
    findings = _find(workload, measurements, conditions(measurements), confidence)
    verdict = _argue(findings)
    advice = _recommend(verdict, findings)
    case = Case(
        workload=workload.name,
        policy=policy,
        verdict=verdict,
        recommendation=advice,
        rung=measurements.rung,
        stopped_early=rounds in looks[:-1],
    )
    return Decision(
        workload=workload.name,
        policy=policy,
        rung=measurements.rung,
        verdict=verdict,
        recommendation=advice,
        summary=summary(case, findings.deciding(), findings.informed_alone.reasons),
        reasons=findings.all(),
        confidence=confidence,
        looks=looks,
        rounds=rounds,
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


def _find(workload: Workload, measurements: Measurements, conditions: tuple[Reason, ...], level: float) -> _Findings:
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
