"""The report as people read it."""

from __future__ import annotations

from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.report.verification import render
from tests.verify.readings import SOURCE


def report(*checks: Check, verdict: Verdict = Verdict.PASS, missing: tuple[str, ...] = ()) -> VerificationReport:
    return VerificationReport(
        policy="ours",
        source_sha256="sha256:0",
        stages=("compile",),
        verdict=verdict,
        checks=checks,
        objects=(),
        kernels_missing=missing,
    )


def check(stage: str, verdict: Verdict, text: str, place: Place | None = None, advice: str = "") -> Check:
    level = "error" if verdict is Verdict.FAIL else "note"
    finding = Finding(rule="A-RULE", level=level, text=text, place=place, advice=advice)
    findings = () if verdict is Verdict.PASS else (finding,)
    return Check(stage=stage, kernel="6.18.15", verdict=verdict, text=text, seconds=1.234, findings=findings)


def test_a_pass_is_a_table_and_a_line() -> None:
    assert render(report(check("compile", Verdict.PASS, "fine")), SOURCE) == (
        "KERNEL   STAGE    VERDICT  SECONDS  FOUND\n6.18.15  compile  PASS       1.23   fine\n\nPASS: ours on 1 kernel"
    )


def test_a_problem_has_its_line_a_caret_and_advice() -> None:
    bad = check("load", Verdict.FAIL, "no \x1b[31mway", Place(file=SOURCE.path, line=4, column=3), "check it")
    text = render(report(bad, verdict=Verdict.FAIL), SOURCE)
    assert text.split("\n\n")[1] == (
        "policies/library/ours/ours.bpf.c:4:3: error: no  [31mway [A-RULE]\n"
        "    4 |         *count += 1;\n"
        "      |          ^\n"
        "  try: check it"
    )


def test_a_problem_elsewhere_has_no_excerpt() -> None:
    bad = check("enable", Verdict.INCONCLUSIVE, "unknown")
    assert "enable on 6.18.15: note: unknown [A-RULE]\n\n" in render(report(bad, verdict=Verdict.INCONCLUSIVE), SOURCE)
    lost = check("load", Verdict.FAIL, "x", Place(file=SOURCE.path, line=400))
    assert "|" not in render(report(lost, verdict=Verdict.FAIL), SOURCE)


def test_nothing_verified_and_what_is_missing_is_said() -> None:
    assert render(report(verdict=Verdict.ERROR, missing=("7.3",)), SOURCE) == (
        "no kernel at hand, so nothing was verified\n\nnot verified, since not at hand: 7.3\n\nERROR: ours on 0 kernels"
    )
