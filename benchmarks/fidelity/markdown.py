"""Words of the page: numbers, prose and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from schedops.stats.summary import median

from .judging import Change

WIDTH = 120
MAX_CELL = 400


def together(*parts: str) -> str:
    """Paragraphs, tables, headings."""
    return "\n\n".join(parts)


def prose(*words: str) -> str:
    """A paragraph."""
    return fill(" ".join(words), WIDTH, break_long_words=False, break_on_hyphens=False)


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {plain(line)}" for line in lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what a kernel or a guest said does nothing to it."""
    lines = (header, ["---"] * len(header), *rows)
    return "\n".join(f"| {' | '.join(plain(cell) for cell in line)} |" for line in lines)


def plain(text: str) -> str:
    """Nothing that would be read as more than text."""
    return "".join(c if c.isprintable() else " " for c in text).replace("|", "\\|").replace("<", "&lt;")[:MAX_CELL]


def percent(change: Change) -> str:
    """Estimate and interval in per cent."""
    if change.estimate is None:
        return "-"
    if change.low is None or change.high is None:
        return f"{points(change.estimate)} % ({change.pairs} rounds)"
    return f"{points(change.estimate)} % [{points(change.low)}, {points(change.high)}]"


def points(fraction: float | None) -> str:
    """A signed fraction in hundredths."""
    if fraction is None:
        return "-"
    return f"{100 * fraction:+.1f}" if abs(fraction) < 10 else f"{100 * fraction:+.0f}"


def number(value: float | None) -> str:
    """A correlation."""
    return "-" if value is None else f"{value:.2f}"


def middle(values: Iterable[float | None]) -> str:
    """The median correlation of those that there are."""
    known = [value for value in values if value is not None]
    return number(median(known) if known else None)
