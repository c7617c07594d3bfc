"""What a suite leaves on disk: cells as they come, results with their digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schedops.model.suite import SuiteCell, SuiteGround, SuiteResults

_RESULTS, _SUM, _CELLS = "results.json", "results.sha256", "cells.jsonl"


@dataclass(slots=True)
class Kept:
    """What an earlier run left, by key and by digest, and where new cells and grounds go; None: nowhere."""

    cells: dict[str, SuiteCell] = field(default_factory=dict)
    grounds: dict[str, SuiteGround] = field(default_factory=dict)
    keep: Callable[[SuiteCell | SuiteGround], None] | None = None


@contextmanager
def kept(out: Path | None, *, resume: bool) -> Iterator[Kept]:
    """The journal in *out*, open.

    :raises InputError: one is there and *resume* is false, or another run writes it.
    """
    if out is None:
        yield Kept()
        return
    from schedops.adapters.disk.journal import open_journal
    from schedops.model.suite import SuiteCell
    from schedops.schema.canonical import canonical_bytes, digest_of

    with open_journal(out / _CELLS, resume=resume) as journal:
        found = Kept(keep=lambda one: journal.append(canonical_bytes(one)))
        for one in map(_line, journal.lines):
            if isinstance(one, SuiteCell):
                found.cells[one.key] = one
            elif one is not None:
                found.grounds[digest_of(one)] = one
        yield found


def _line(line: bytes) -> SuiteCell | SuiteGround | None:
    from schedops.errors import InputError
    from schedops.model.suite import SuiteCell, SuiteGround
    from schedops.schema.decode import decode

    try:
        document = json.loads(line)
        if isinstance(document, dict) and "environment" in document:
            return decode(SuiteGround, document)
        return decode(SuiteCell, document)
    except (InputError, ValueError, RecursionError):
        return None  # damaged is as good as not there


def written(out: Path, results: SuiteResults) -> list[str]:
    """Results and their digest, for ``sha256sum -c``; the paths."""
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.schema.canonical import canonical_bytes, digest_of

    write_whole(out / _RESULTS, canonical_bytes(results))
    write_whole(out / _SUM, f"{digest_of(results).removeprefix('sha256:')}  {_RESULTS}\n".encode())
    return [str(out / _RESULTS), str(out / _SUM)]


def loaded(paths: tuple[Path, ...]) -> list[SuiteResults]:
    """Results, or those in a directory. :raises InputError: a file is none."""
    from schedops.model.suite import SuiteResults
    from schedops.schema.read import load

    return [load(path / _RESULTS if path.is_dir() else path, SuiteResults) for path in paths]


def joined(paths: tuple[Path, ...]) -> SuiteResults:
    """Results, or the shards of some. :raises InputError: as :func:`schedops.suite.cells.joined`."""
    from schedops.suite.cells import joined as all_of

    parts = loaded(paths)
    return parts[0] if len(parts) == 1 else all_of(parts)
