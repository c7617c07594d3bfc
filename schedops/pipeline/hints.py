"""Files that say how long jobs took, and what was known before, to what is known now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schedops.errors import InputError
from schedops.model.jobs import Hints
from schedops.workloads.hints import Measured, hints_of, merge_hints
from schedops.workloads.learn import launches, ninja
from schedops.workloads.learn.junit import report_times

_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFile:
    """:param date: of its last change, ISO 8601; what it says is not newer."""

    name: str
    data: bytes
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFacts:
    """What ninja says of the build whose log is learnt: ``ninja -t graph`` and ``ninja -t compdb``, or nothing.

    :param root: top of the project, see :func:`schedops.workloads.learn.job_key.key_of_command`.
    """

    graph: bytes = b""
    commands: bytes = b""
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """:param measurements: that were learnt now. :param notes: a line for whatever was not."""

    hints: Hints
    measurements: int
    notes: tuple[str, ...]


def learn(old: Hints, history: Sequence[HistoryFile], build: BuildFacts) -> Learnt:
    """*old* and what the files say, each file once in its life.

    :raises InputError: ``unknown-history``: a file of another kind; or what its reader raises.
    """
    known, notes, measurements = old, [], 0
    for file in history:
        digest = hashlib.sha256(file.data).hexdigest()[:_DIGEST_DIGITS]
        if digest in known.learnt:
            notes.append(f"{file.name} was learnt before")
            continue
        measured, broken = _measured(file, build)
        measurements += len(measured)
        if broken:
            notes.append(f"{file.name}: {broken} lines are no records")
        new = replace(hints_of(old.workload, measured), learnt=(digest,))
        known = merge_hints(known, new)
    return Learnt(hints=known, measurements=measurements, notes=tuple(notes))


def _measured(file: HistoryFile, build: BuildFacts) -> tuple[tuple[Measured, ...], int]:
    if not file.data.strip() or file.data.startswith(launches.HEADER):
        return launches.launches(file.data, today=file.date)
    if file.data.startswith(ninja.HEADER):
        found = ninja.ninja_times(
            file.data, date=file.date, where=file.name, graph=build.graph, commands=build.commands, root=build.root
        )
        return found, 0
    if file.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return report_times(file.data, date=file.date, where=file.name), 0
    raise InputError(
        "unknown-history",
        f"{file.name} is no log of schedops-hint, no .ninja_log and no JUnit report",
        where=file.name,
        hint="make writes no times down: build once with CC='schedops-hint gcc', then learn .schedops/hints.log",
    )
