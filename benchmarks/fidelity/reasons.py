"""Why a cell is off, kept by hand beside the page: ``workload / policy / figure: reason``, with patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from schedops.errors import InputError

from .judging import Cell


@dataclass(frozen=True, slots=True)
class Reason:
    """:param patterns: of workload, policy and figure, as fnmatch has them."""

    patterns: tuple[str, str, str]
    text: str

    @property
    def line(self) -> str:
        """As it is written."""
        return f"{' / '.join(self.patterns)}: {self.text}"

    def fits(self, cell: Cell) -> bool:
        """The reason is one for this cell."""
        names = (cell.workload, cell.arm, cell.measure.name)
        return all(fnmatchcase(name, pattern) for name, pattern in zip(names, self.patterns, strict=True))


def read_reasons(path: Path) -> tuple[Reason, ...]:
    """Every line that is not empty and no comment (``#``); none when there is no file.

    :raises InputError: a line that is no reason.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(
        _reason(line, f"{path}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    )


def reasons_for(cell: Cell, reasons: Sequence[Reason]) -> list[str]:
    """Texts of those that fit."""
    return [one.text for one in reasons if one.fits(cell)]


def _reason(line: str, where: str) -> Reason:
    patterns, colon, text = line.partition(":")
    parts = tuple(part.strip() for part in patterns.split("/"))
    if not colon or len(parts) != 3 or not all(parts) or not text.strip():
        raise InputError("bad-reason", "a reason is `workload / policy / figure: reason`", where=where)
    return Reason((parts[0], parts[1], parts[2]), text.strip())
