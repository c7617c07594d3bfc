"""Rows as aligned columns; the last column wraps."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 110
_GAP = 2
_LEAST = 30


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = WIDTH, indent: int = 0) -> str:
    """Lines without trailing blanks; no final newline. Cells must not hold control characters."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header) - 1)]
    left = indent + sum(widths) + _GAP * len(widths)
    out = []
    for line in lines:
        cells = "".join(cell.ljust(size + _GAP) for cell, size in zip(line, widths, strict=False))
        wrapped = textwrap.wrap(line[-1], max(_LEAST, width - left), break_on_hyphens=False) or [""]
        out.append(f"{' ' * indent}{cells}{wrapped[0]}".rstrip())
        out += [f"{' ' * left}{more}" for more in wrapped[1:]]
    return "\n".join(out)


def paragraph(text: str, *, width: int = WIDTH, indent: int = 0) -> str:
    """Running text, wrapped."""
    pad = " " * indent
    return textwrap.fill(" ".join(text.split()), width, initial_indent=pad, subsequent_indent=pad)
