"""What must hold before any figure counts: right documents, enough valid samples, policy in charge, verified."""

from __future__ import annotations

from schedops.gate.rules import MIN_PAIRS
from schedops.model.decision import Reason
from schedops.model.environment import differences
from schedops.model.measurements import FRESH, Measurements, Sample
from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload

ARMS = ("eevdf", "informed", "candidate")
MIN_VALID_SHARE = 0.95


def documents_match(workload: Workload, policy: str, measurements: Measurements) -> Reason:
    """The measurements are of this workload and this policy; something was measured and something is wanted."""
    wrong = [
        f"{what} is {got!r}, not {wanted!r}"
        for what, got, wanted in (
            ("the workload measured", measurements.workload, workload.name),
            ("the policy measured", measurements.policy, policy),
        )
        if got != wanted
    ]
    if not measurements.rounds:
        wrong.append("no round was measured")
    if not workload.objectives:
        wrong.append("the workload has no objective")
    numbers = [planned.round for planned in measurements.rounds]
    if len(set(numbers)) != len(numbers):
        wrong.append("a round is there twice")
    verdict = Verdict.ERROR if wrong else Verdict.PASS
    return condition("documents", verdict, "; ".join(wrong) or "workload, policy and rounds are as asked for")


def enough_valid(measurements: Measurements, arm: str) -> Reason:
    """At least 95 % of the runs are valid, repeated and missing ones counted, and so are at least six rounds.

    PASS: so it is. INCONCLUSIVE: fewer. ERROR: none.
    """
    runs = [sample for sample in measurements.samples if sample.arm == arm]
    missing = {planned.round for planned in measurements.rounds} - {sample.round for sample in runs}
    wanted = len(runs) + len(missing)
    valid = len({sample.round for sample in runs if sample.valid})
    text = f"{arm}: {valid} of {wanted} samples valid{_first_trouble(measurements, arm)}"
    if valid == 0:
        return condition(f"valid samples, {arm}", Verdict.ERROR, text, pairs=0)
    enough = valid >= MIN_VALID_SHARE * wanted and valid >= MIN_PAIRS
    verdict = Verdict.PASS if enough else Verdict.INCONCLUSIVE
    return condition(f"valid samples, {arm}", verdict, text, pairs=valid)


def stayed_in_charge(measurements: Measurements) -> Reason:
    """The candidate was in charge throughout, by the kernel's own word and whatever *valid* says.

    PASS: in charge before and after every valid sample. FAIL: enabled before a run and not after it (the kernel dropped
    it). ERROR: no valid sample, or a valid one that the policy was not in charge of.
    """
    samples = [sample for sample in measurements.samples if sample.arm == "candidate"]
    lost = [sample for sample in samples if sample.before.state == "enabled" and sample.after.state != "enabled"]
    valid = [sample for sample in samples if sample.valid]
    elsewhere = [sample for sample in valid if not _in_charge(sample)]
    if lost:
        text = f"the kernel dropped the policy in {len(lost)} of {len(samples)} runs: {lost[0].why_invalid}"
        return condition("policy in charge", Verdict.FAIL, text)
    if elsewhere:
        text = f"the policy was not in charge of round {elsewhere[0].round}, which counts as valid"
        return condition("policy in charge", Verdict.ERROR, text)
    if not valid:
        return condition("policy in charge", Verdict.ERROR, "the candidate has no valid run")
    return condition("policy in charge", Verdict.PASS, f"in charge before and after {len(valid)} runs")


def fresh_samples(measurements: Measurements) -> Reason:
    """No sample helped to find the candidate: the best of many tries looks better than it is.

    PASS: all were measured for the verdict. INCONCLUSIVE: some come from the search.
    """
    used = [sample for sample in measurements.samples if sample.origin != FRESH]
    if used:
        text = f"{len(used)} of {len(measurements.samples)} samples helped to find the candidate; measure fresh ones"
        return condition("fresh samples", Verdict.INCONCLUSIVE, text)
    return condition("fresh samples", Verdict.PASS, "no sample helped to find the candidate")


def same_environment(measurements: Measurements) -> Reason:
    """The machine was the same one before the first run and after the last.

    PASS: all that could be read is equal. INCONCLUSIVE: something changed, or nobody looked.
    """
    before, after = measurements.environment, measurements.environment_after
    if before is None or after is None:
        return condition("environment", Verdict.INCONCLUSIVE, "the environment was not recorded")
    if changed := differences(before, after):
        text = f"the environment changed meanwhile: {'; '.join(changed)}"
        return condition("environment", Verdict.INCONCLUSIVE, text[:4000])
    return condition("environment", Verdict.PASS, "the same before the first run and after the last")


def _in_charge(sample: Sample) -> bool:
    before, after = sample.before, sample.after
    return before.state == after.state == "enabled" and before.enable_seq == after.enable_seq


def verified(verification: VerificationReport | None, policy: str) -> Reason:
    """The Execution Verifier passed this policy. Without a report there is no PASS."""
    if verification is None:
        return condition("verification", Verdict.INCONCLUSIVE, f"{policy} was not verified")
    if verification.policy != policy:
        text = f"the verification is of {verification.policy!r}, not of {policy!r}"
        return condition("verification", Verdict.ERROR, text)
    if verification.verdict is Verdict.PASS and not verification.checks:
        return condition("verification", Verdict.ERROR, "the verification has no checks")
    if verification.verdict is Verdict.PASS and any(one.verdict is not Verdict.PASS for one in verification.checks):
        return condition("verification", Verdict.ERROR, "the verification says PASS, and a check of it does not")
    return condition("verification", verification.verdict, f"verification of {policy}: {verification.verdict.value}")


def _first_trouble(measurements: Measurements, arm: str) -> str:
    invalid: list[Sample] = [s for s in measurements.samples if s.arm == arm and not s.valid]
    return f" (round {invalid[0].round}: {invalid[0].why_invalid})" if invalid else ""


def condition(metric: str, verdict: Verdict, text: str, *, pairs: int = 0) -> Reason:
    """Something that must hold before figures count."""
    return Reason(
        metric=metric,
        role="condition",
        baseline="",
        arm="candidate",
        pairs=pairs,
        estimate=None,
        low=None,
        high=None,
        threshold=MIN_VALID_SHARE if metric.startswith("valid samples") else 0.0,
        hard=True,
        verdict=verdict,
        text=text,
    )
