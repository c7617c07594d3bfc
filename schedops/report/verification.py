"""A verification report as people read it: a table of stages, then each problem at its place in the source."""

from __future__ import annotations

import re

from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, VerificationReport
from schedops.report.table import table

_PLACE = re.compile(r"(?P<file>.*):(?P<line>\d+):(?P<column>\d+)")
_TAB = 8


def render(report: VerificationReport, source: PolicySource) -> str:
    """Everything a person needs; no final newline. Texts of the report are untrusted and lose control characters."""
    parts = [_table(report)] if report.checks else ["no kernel at hand, so nothing was verified"]
    parts += [_problem(check, source) for check in report.checks if check.verdict is not Verdict.PASS]
    if report.kernels_missing:
        parts.append(f"not verified, since not at hand: {', '.join(report.kernels_missing)}")
    kernels = len({check.kernel for check in report.checks})
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


def _problem(check: Check, source: PolicySource) -> str:
    severity = "error" if check.verdict in (Verdict.FAIL, Verdict.ERROR) else "note"
    place = check.where or f"{check.stage} on {check.kernel}"
    lines = [f"{_plain(place)}: {severity}: {_plain(check.text)}", *_excerpt(check.where, source)]
    if check.advice:
        lines.append(f"  try: {_plain(check.advice)}")
    return "\n".join(lines)


def _excerpt(where: str, source: PolicySource) -> list[str]:
    """The line of the source and a caret below the column; nothing when the place is elsewhere."""
    match = _PLACE.fullmatch(where)
    if match is None:
        return []
    texts = {source.path: source.text, **dict(source.headers)}
    lines = texts.get(match["file"], "").splitlines()
    number, column = int(match["line"]), int(match["column"])
    if not 1 <= number <= len(lines):
        return []
    line = lines[number - 1]
    before = line[: max(column - 1, 0)].expandtabs(_TAB)
    gutter = f"{number:5} | "
    return [f"{gutter}{_plain(line.expandtabs(_TAB))}", f"{' ' * (len(gutter) - 2)}| {' ' * len(before)}^"]


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
