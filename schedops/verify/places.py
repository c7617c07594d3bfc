"""Places in a policy's source. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from schedops.model.policy import PolicySource
from schedops.model.verification import Place, SourceProblem
from schedops.verify.judge import Outcome


def of_outcome(outcome: Outcome, source: PolicySource) -> Place | None:
    """Where it is; by its line, else by the symbol it names; None when neither is in the source."""
    if outcome.line:
        name, text = _file(outcome.file, source)
        return Place(file=name, line=outcome.line, column=_first_column(text, outcome.line))
    if outcome.symbol:
        return _of_symbol(outcome.symbol, source)
    return None


def of_line(place: Place, source: PolicySource) -> Place:
    """A line without a column: the first character that is not blank stands for the statement."""
    name, text = _file(place.file, source)
    return Place(file=name, line=place.line, column=_first_column(text, place.line))


def of_problem(problem: SourceProblem) -> Place | None:
    """Where a compiler's message is."""
    return Place(file=problem.file, line=problem.line, column=max(problem.column, 1)) if problem.file else None


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


def _of_symbol(symbol: str, source: PolicySource) -> Place | None:
    pattern = re.compile(rf"\b{re.escape(symbol)}\b")
    for number, line in enumerate(source.text.splitlines(), start=1):
        if not line.lstrip().startswith(("extern", "/*", "*", "//")) and (match := pattern.search(line)):
            return Place(file=source.path, line=number, column=match.start() + 1)
    return None
