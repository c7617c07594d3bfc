"""A policy that did not verify ends the line with the exit code its verdict stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import SchedopsError
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.pipeline.measure import stop_unless_verified


def report(verdict: Verdict, *checks: Check) -> VerificationReport:
    return VerificationReport(
        policy="p", source_sha256="0" * 64, stages=("load",), verdict=verdict, checks=checks, objects=()
    )


def check(verdict: Verdict) -> Check:
    text = "R1 invalid mem access"
    place = Place(file="p.bpf.c", line=7, column=3)
    finding = Finding(rule="VERIFIER-REFUSED", level="error", text=text, place=place, advice="check for NULL")
    return Check(stage="load", kernel="7.3.4", verdict=verdict, text=text, seconds=0.1, findings=(finding,))


def test_a_verified_policy_goes_on() -> None:
    stop_unless_verified(report(Verdict.PASS, check(Verdict.PASS)))


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 3), (Verdict.ERROR, 69)])
def test_everything_else_stops_with_the_reason(verdict: Verdict, code: int) -> None:
    with pytest.raises(SchedopsError) as caught:
        stop_unless_verified(report(verdict, check(verdict)))
    assert (caught.value.exit_code, caught.value.code, caught.value.where) == (code, "not-verified", "p.bpf.c:7:3")
    assert "load on 7.3.4: R1 invalid mem access" in caught.value.message
    assert caught.value.detail == "check for NULL"


def test_no_checks_at_all_is_no_pass() -> None:
    with pytest.raises(SchedopsError) as caught:
        stop_unless_verified(report(Verdict.ERROR))
    assert (caught.value.exit_code, caught.value.message) == (69, "nothing ran")


def test_a_report_whose_stages_did_not_all_run_says_so() -> None:
    with pytest.raises(SchedopsError) as caught:
        stop_unless_verified(report(Verdict.ERROR, check(Verdict.PASS)))
    assert (caught.value.exit_code, caught.value.message) == (69, "not every stage ran")


def test_what_decided_is_named_and_a_stage_without_a_kernel_too() -> None:
    source = replace(check(Verdict.FAIL), stage="source", kernel="", text="never consumed")
    with pytest.raises(SchedopsError) as caught:
        stop_unless_verified(report(Verdict.FAIL, check(Verdict.INCONCLUSIVE), source))
    assert caught.value.message == "p did not verify: source: never consumed"
