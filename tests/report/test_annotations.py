"""Workflow commands: what GitHub's toolkit would write, and nothing that somebody else put into it."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.verdict import Verdict
from schedops.model.verification import Finding, Place, VerificationReport
from schedops.report.annotations import render_annotations
from tests.report.reports import BAD, GOOD, LOST, OLD, check, report
from tests.verify.readings import SOURCE


def commands(what: VerificationReport, root: str = "") -> list[str]:
    return render_annotations(what, path=SOURCE.path, root=root).splitlines()


def test_a_command_for_each_finding_errors_first() -> None:
    assert commands(BAD) == [
        "::error file=policies/library/ours/ours.bpf.c,line=4,col=3,title=DSQ-LOST::queue 7 is never consumed",
        (
            "::error file=policies/library/ours/ours.bpf.c,title=LATE::hogs waited 4.2 s (on 6.16.12, 7.3.4)"
            "%0Ahelp: give every task a turn"
        ),
        "::warning file=schedops.h,line=2,col=1,title=UNKNOWN-RULE::odd [31mname",
    ]
    assert render_annotations(GOOD, path="x") == ""


def test_everything_is_escaped_as_the_toolkit_does() -> None:
    evil = Finding(
        rule="A:B,C", level="note", text="50%\r\n::add-mask::x", place=Place(file="a,b:c%.c", line=1), advice="%0A\n::b"
    )
    what = report(check("load", OLD, Verdict.FAIL, evil), verdict=Verdict.FAIL)
    assert commands(what) == [
        "::notice file=a%2Cb%3Ac%25.c,line=1,col=1,title=A%3AB%2CC::50%25 ::add-mask::x (on 6.16.12)%0Ahelp: %250A ::b"
    ]


def test_files_are_relative_to_the_checkout() -> None:
    finding = replace(LOST, place=Place(file="/w/repo/p/x.bpf.c", line=1))
    what = report(check("source", "", Verdict.FAIL, finding), verdict=Verdict.FAIL)
    assert commands(what, "/w/repo")[0].startswith("::error file=p/x.bpf.c,")
    assert commands(what, "/w/re")[0].startswith("::error file=/w/repo/p/x.bpf.c,")
