"""A verification report as JUnit XML: a suite for each kernel, a case for each stage. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, VerificationReport
from schedops.report.merged import kernels_of
from schedops.report.progress import visible
from schedops.report.stage_table import NEED_NONE

_NO_KERNEL = "no kernel"
_MAX_TEXT = 2000
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(reports: Sequence[VerificationReport]) -> str:
    """The document, ending in a newline. A stage that did not run is skipped; one without an answer is an error."""
    root = ET.Element("testsuites", {"name": "schedops verify"})
    for report in reports:
        for kernel, stages in _suites(report):
            suite = ET.SubElement(root, "testsuite", {"name": _legal(f"{report.policy} on {kernel or _NO_KERNEL}")})
            for stage in stages:
                _case(suite, report, kernel, stage)
            _count(suite)
    _count(root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suites(report: VerificationReport) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(kernel, stages); the kernel is empty for the stages that need none."""
    every = tuple(dict.fromkeys((*report.stages, *(check.stage for check in report.checks))))
    without = tuple(stage for stage in every if _of(report, "", stage))
    if without or report.not_run:
        without = tuple(stage for stage in every if stage in NEED_NONE or stage in without)
    if without:
        yield "", without
    kernels = kernels_of(report)
    alone = tuple(stage for stage in without if not any(_of(report, kernel, stage) for kernel in kernels))
    for kernel in kernels:
        yield kernel, tuple(stage for stage in every if stage not in alone)
    if not report.checks and not report.kernels_missing:
        yield "", every
    for kernel in report.kernels_missing:
        yield kernel, tuple(stage for stage in every if stage not in alone)


def _of(report: VerificationReport, kernel: str, stage: str) -> tuple[Check, ...]:
    return tuple(check for check in report.checks if (check.kernel, check.stage) == (kernel, stage))


def _case(suite: ET.Element, report: VerificationReport, kernel: str, stage: str) -> None:
    checks = _of(report, kernel, stage)
    seconds = sum(check.seconds for check in checks)
    attributes = {
        "name": stage,
        "classname": _legal(f"{report.policy}.{kernel or _NO_KERNEL}"),
        "time": f"{seconds:.3f}",
    }
    case = ET.SubElement(suite, "testcase", attributes)
    if not checks:
        impossible = [one.text for one in report.not_run if one.stage == stage]
        why = "this kernel is not at hand" if kernel in report.kernels_missing else "an earlier stage did not pass"
        why = _legal(impossible[0]) if impossible else why
        ET.SubElement(case, "skipped", {"message": f"did not run: {why}" if report.checks else "did not run"})
    for check in checks:
        _outcome(case, check)


def _outcome(case: ET.Element, check: Check) -> None:
    if check.verdict is not Verdict.PASS:
        kind = "failure" if check.verdict is Verdict.FAIL else "error"
        node = ET.SubElement(case, kind, {"message": _legal(check.text), "type": check.verdict.value})
        node.text = _told(check.findings)
    elif check.findings:
        ET.SubElement(case, "system-out").text = _told(check.findings)


def _told(findings: Sequence[Finding]) -> str:
    lines = []
    for one in findings:
        where = f"{one.place}: " if one.place else ""
        lines.append(_legal(f"{where}{one.level}: {one.text} [{one.rule}]"))
        if one.advice:
            lines.append(_legal(f"  help: {one.advice}"))
    return "\n".join(lines)


def _count(suite: ET.Element) -> None:
    cases = list(suite.iter("testcase"))
    suite.set("tests", str(len(cases)))
    for attribute, tag in _COUNTED.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _legal(text: str) -> str:
    """One bounded line of characters that XML 1.0 may hold."""
    return visible(text.encode("utf-8", "replace").decode())[:_MAX_TEXT]
