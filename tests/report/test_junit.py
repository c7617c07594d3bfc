"""JUnit: a suite for each kernel, a case for each stage, nothing that did not run looks passed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport
from schedops.report.junit import render_junit
from tests.report.reports import BAD, BROKEN, GOOD, LOST, NEW, NOTHING, OLD, UNSURE, check, report


def outcomes(what: VerificationReport) -> dict[str, dict[str, str]]:
    root = ET.fromstring(render_junit([what]))
    suites = {}
    for suite in root:
        cases = {case.get("name", ""): (case[0].tag if len(case) else "passed") for case in suite}
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == list(cases.values()).count(tag)
        suites[suite.get("name", "").removeprefix("ours on ")] = cases
    return suites


def test_all_good() -> None:
    passed = {"compile": "passed", "object": "passed"}
    assert outcomes(GOOD) == {OLD: passed, NEW: passed}


def test_a_failure_and_what_came_after_it() -> None:
    of_a_kernel = {"compile": "passed", "object": "passed", "load": "failure", "enable": "skipped"}
    assert outcomes(BAD) == {
        "no kernel": {"source": "failure", "object": "passed"},
        OLD: of_a_kernel,
        NEW: of_a_kernel,
    }
    failure = next(ET.fromstring(render_junit([BAD])).iter("failure"))
    assert failure.get("message") == "queue 7 is never consumed"
    assert failure.text == (
        "policies/library/ours/ours.bpf.c:4:3: error: queue 7 is never consumed [DSQ-LOST]\n"
        "schedops.h:2:1: warning: odd [31mname [UNKNOWN-RULE]"
    )


def test_no_answer_is_never_a_pass() -> None:
    waiting = {"source": "skipped", "load": "skipped", "enable": "skipped"}
    assert outcomes(UNSURE) == {
        OLD: {"compile": "passed", "object": "error", **waiting},
        NEW: {"compile": "skipped", "object": "skipped", **waiting},
    }
    assert outcomes(BROKEN)[OLD]["compile"] == "error"
    assert set(outcomes(NOTHING)["no kernel"].values()) == {"skipped"}


def test_it_is_xml_whatever_a_guest_says() -> None:
    evil = "\x00\x1b]]>&<a b='\"\udcff\ufffe"
    bad = check("load", evil, Verdict.FAIL, LOST, text=evil)
    assert len(ET.fromstring(render_junit([report(bad, verdict=Verdict.FAIL)]))) == 1
