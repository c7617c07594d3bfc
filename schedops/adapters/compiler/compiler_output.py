"""What clang says on stderr, as problems at places in the source. Its text is untrusted: it quotes the source."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from schedops import proc
from schedops.model.verification import SourceProblem

_MAX_PROBLEMS = 20
_MAX_TEXT = 400
_PLACED = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?P<kind>fatal error|error|warning): (?P<text>.+)$"
)
# The code generator puts the severity first: "error: x.bpf.c:12:3: in function f ...: call to ... is not supported"
_BACKEND = re.compile(
    r"^(?P<kind>fatal error|error|warning): (?P<file>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<text>.+)$"
)
_PLAIN = re.compile(r"^(?:clang[-\w.]*: )?(?P<kind>fatal error|error): (?P<text>.+)$")
_OPENED = re.compile(r"^\.+ (?P<file>.+)$")


def parse_problems(stderr: bytes, names: Mapping[str, str]) -> tuple[SourceProblem, ...]:
    """Errors and warnings in the order clang gave them; at most 20, errors before warnings then; notes left out.

    :param names: file as clang saw it -> file as the user knows it.
    """
    problems = []
    for line in proc.printable(stderr).splitlines():
        match = _PLACED.match(line) or _BACKEND.match(line) or _PLAIN.match(line)
        if match and (problem := _problem(match.groupdict(), names)) not in problems:
            problems.append(problem)
    if len(problems) > _MAX_PROBLEMS:
        problems.sort(key=lambda problem: problem.severity != "error")
    return tuple(problems[:_MAX_PROBLEMS])


def opened_files(stderr: bytes) -> tuple[str, ...]:
    """The files that ``-H`` says were opened, in order."""
    lines = proc.printable(stderr).splitlines()
    return tuple(posixpath.normpath(match["file"]) for line in lines if (match := _OPENED.match(line)))


def _problem(found: Mapping[str, str], names: Mapping[str, str]) -> SourceProblem:
    file = posixpath.normpath(found["file"]) if found.get("file") else ""
    return SourceProblem(
        file=names.get(file, file),
        line=int(found.get("line", 0)),
        column=int(found.get("column", 0)),
        severity="warning" if found["kind"] == "warning" else "error",
        text=found["text"][:_MAX_TEXT],
    )
