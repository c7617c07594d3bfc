"""A verification report as people read it: a table of stages, then each problem at its place in the source."""

from __future__ import annotations

from schedops.model.policy import PolicySource
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.report.table import table

_TAB = 8


def render(report: VerificationReport, source: PolicySource) -> str:
    """Everything a person needs; no final newline. Texts of the report are untrusted and lose control characters."""
    parts = [_table(report)] if report.checks else ["no kernel at hand, so nothing was verified"]
    parts += [_problem(check, finding, source) for check in report.checks for finding in check.findings]
    if report.kernels_missing:
        parts.append(f"not verified, since not at hand: {', '.join(report.kernels_missing)}")
    kernels = len({check.kernel for check in report.checks} - {""})
    parts.append(f"{report.verdict.value}: {report.policy} on {kernels} kernel{'s' * (kernels != 1)}")
    return "\n\n".join(parts)


def _table(report: VerificationReport) -> str:
    rows = []
    seen = ""
    for check in report.checks:
        kernel = check.kernel if check.kernel != seen else ""
        seen = check.kernel
        rows.append((kernel, check.stage, check.verdict.value, f"{check.seconds:6.2f}", _plain(check.text)))
    return table(("KERNEL", "STAGE", "VERDICT", "SECONDS", "FOUND"), rows, width=130)


def _problem(check: Check, finding: Finding, source: PolicySource) -> str:
    place = str(finding.place) if finding.place else f"{check.stage} on {check.kernel}"
    head = f"{_plain(place)}: {finding.level}: {_plain(finding.text)} [{_plain(finding.rule)}]"
    lines = [head, *_excerpt(finding.place, source)]
    if finding.advice:
        lines.append(f"  try: {_plain(finding.advice)}")
    return "\n".join(lines)


def _excerpt(place: Place | None, source: PolicySource) -> list[str]:
    """The line of the source and a caret below the column; nothing when the place is elsewhere."""
    if place is None:
        return []
    texts = {source.path: source.text, **dict(source.headers)}
    lines = texts.get(place.file, "").splitlines()
    if not 1 <= place.line <= len(lines):
        return []
    line = lines[place.line - 1]
    before = line[: max(place.column - 1, 0)].expandtabs(_TAB)
    gutter = f"{place.line:5} | "
    return [f"{gutter}{_plain(line.expandtabs(_TAB))}", f"{' ' * (len(gutter) - 2)}| {' ' * len(before)}^"]


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
