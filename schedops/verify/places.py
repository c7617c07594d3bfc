"""Places in a policy's source, as ``file:line:column``. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from schedops.model.policy import PolicySource
from schedops.model.verification import SourceProblem
from schedops.verify.judge import Finding


def of_finding(finding: Finding, source: PolicySource) -> str:
    """Where a finding is; by its line, else by the symbol it names; empty when neither is in the source."""
    if finding.line:
        name, text = _file(finding.file, source)
        return f"{name}:{finding.line}:{_first_column(text, finding.line)}"
    if finding.symbol:
        return _of_symbol(finding.symbol, source)
    return ""


def of_problem(problem: SourceProblem) -> str:
    """Where a compiler's message is; without line and column when it has none."""
    return f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file


def _file(name: str, source: PolicySource) -> tuple[str, str]:
    """As the user knows it, and its text."""
    base = PurePosixPath(name).name
    if base == PurePosixPath(source.path).name:
        return source.path, source.text
    return base, dict(source.headers).get(base, "")


def _first_column(text: str, line: int) -> int:
    """The log names lines only: the first character that is not blank stands for the statement."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return 1
    return len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1


def _of_symbol(symbol: str, source: PolicySource) -> str:
    pattern = re.compile(rf"\b{re.escape(symbol)}\b")
    for number, line in enumerate(source.text.splitlines(), start=1):
        if not line.lstrip().startswith(("extern", "/*", "*", "//")) and (match := pattern.search(line)):
            return f"{source.path}:{number}:{match.start() + 1}"
    return ""
