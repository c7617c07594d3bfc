"""The few words people see while a proposal is made."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.verdict import Verdict
from schedops.report import found
from tests.fakes.dossier import dossier, verification


def test_a_plan_names_policy_parameters_and_prediction() -> None:
    plan = dossier().plan
    said = found.plan(plan)
    assert said.startswith(plan.policy)
    assert f"{plan.predicted_change:+.0%} predicted" in said


def test_a_verification_that_passed_counts_checks_and_kernels() -> None:
    report = verification()
    kernels = len({check.kernel for check in report.checks})
    report = replace(report, checks=(replace(report.checks[0], stage="source", kernel=""), *report.checks))
    assert found.verification(report).startswith(f"PASS: {len(report.checks)} checks on {kernels} kernel")


def test_a_verification_that_failed_says_where_and_what_is_missing() -> None:
    report = replace(verification(Verdict.FAIL, "stalled"), kernels_missing=("6.16",))
    said = found.verification(report)
    assert said.startswith("FAIL: ")
    assert "stalled" in said
    assert said.endswith("(not at hand: 6.16)")


def test_measurements_say_how_many_runs_do_not_count() -> None:
    measured = dossier().measurements
    spoilt = replace(measured, samples=(replace(measured.samples[0], valid=False), *measured.samples[1:]))
    assert found.measurements(spoilt) == found.measurements(measured) + ", 1 not counted"


def test_a_decision_that_passed_names_the_gain_over_both() -> None:
    said = found.decision(dossier().decision)
    assert said.startswith("PASS: makespan -")
    assert "% against EEVDF, -" in said
    assert said.endswith("% against the informed default")


def test_a_decision_that_did_not_says_all_of_why() -> None:
    decision = dossier(rounds=4).decision
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert found.decision(decision) == f"INCONCLUSIVE: {decision.summary}"
