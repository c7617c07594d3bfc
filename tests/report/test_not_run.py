"""A stage that cannot be run on a policy is shown as that everywhere, and nowhere as a pass."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from schedops.model.verdict import Verdict
from schedops.model.verification import NotRun, VerificationReport
from schedops.report.junit import render_junit
from schedops.report.sarif import render_sarif
from schedops.report.stage_table import stage_table
from schedops.report.verification import render
from schedops.schema.decode import decode, encode
from tests.report.reports import NEW, OLD, RULES, check, report
from tests.verify.readings import SOURCE

WHY = "the simulator does not have it: it calls bpf_\x1b[31mred"
STAGES = ("source", "compile", "object", "simulate", "load")
LEFT_OUT = replace(
    report(
        check("source", "", Verdict.PASS),
        *(check(stage, kernel, Verdict.PASS) for kernel in (OLD, NEW) for stage in ("compile", "object", "load")),
        verdict=Verdict.PASS,
        stages=STAGES,
    ),
    not_run=(NotRun(stage="simulate", text=WHY),),
)
OF_AN_OBJECT = replace(LEFT_OUT, checks=tuple(one for one in LEFT_OUT.checks if one.stage == "load"), stages=STAGES[2:])
NEVER_REACHED = replace(LEFT_OUT, not_run=(), verdict=Verdict.FAIL)
SIMULATED = replace(LEFT_OUT, checks=(*LEFT_OUT.checks, check("simulate", "", Verdict.PASS, seconds=0.25)), not_run=())


def row(what: VerificationReport) -> str:
    return next(line for line in stage_table(what).splitlines() if line.startswith("simulate"))


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        (LEFT_OUT, ["simulate", "not", "run"]),
        (OF_AN_OBJECT, ["simulate", "not", "run"]),
        (NEVER_REACHED, ["simulate", "-"]),
        (SIMULATED, ["simulate", "PASS", "0.25", "s"]),
    ],
)
def test_the_table_has_it_in_the_column_that_needs_no_kernel(what: VerificationReport, shown: list[str]) -> None:
    assert row(what).split() == shown
    column = stage_table(what).splitlines()[0].index("NO KERNEL")
    assert row(what)[column:].split() == shown[1:]


def test_the_page_says_why_and_who_decides() -> None:
    page = render(LEFT_OUT, SOURCE, RULES)
    assert "simulate was not run: the simulator does not have it: it calls bpf_" in page
    assert "what runs in guests decides" in page
    assert "\x1b" not in page
    alone = replace(LEFT_OUT, stages=STAGES[:4], verdict=Verdict.INCONCLUSIVE)
    page = render(alone, SOURCE, RULES)
    assert "what runs in guests decides" not in page
    assert page.splitlines()[-1].endswith("what cannot be simulated needs a guest: `--quick` or `--full`")


@pytest.mark.parametrize("what", [LEFT_OUT, OF_AN_OBJECT])
def test_junit_skips_it_with_the_reason(what: VerificationReport) -> None:
    root = ET.fromstring(render_junit([what]))
    cases = [case for case in root.iter("testcase") if case.get("name") == "simulate"]
    assert len(cases) == 1
    assert "no kernel" in str(cases[0].get("classname"))
    skipped = cases[0].find("skipped")
    assert skipped is not None
    assert "it calls bpf_" in str(skipped.get("message"))


def test_junit_has_one_case_also_where_it_was_never_reached() -> None:
    root = ET.fromstring(render_junit([NEVER_REACHED]))
    assert sum(case.get("name") == "simulate" for case in root.iter("testcase")) == 1


def test_sarif_notes_it_and_the_execution_was_successful() -> None:
    run = json.loads(render_sarif([(LEFT_OUT, SOURCE)], RULES, version="1"))["runs"][0]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"]
    (note,) = invocation["toolExecutionNotifications"]
    assert note["level"] == "note"
    assert note["message"]["text"].startswith("simulate was not run: ")
    assert run["results"] == []


def test_the_document_is_read_back() -> None:
    assert decode(VerificationReport, encode(LEFT_OUT)) == LEFT_OUT
