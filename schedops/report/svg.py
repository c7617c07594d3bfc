"""Just enough SVG: text and lines on a light card, escaped, without scripts, fonts or links to elsewhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from html import escape  # not xml.sax.saxutils, which imports urllib

INK, SOFT, GRID, CARD = "#1f2328", "#57606a", "#d8dee4", "#ffffff"
_FONT = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\""


def canvas(width: float, height: float, *, title: str, parts: Sequence[str]) -> bytes:
    """A whole picture. The card has its own background, so it reads the same on a light and on a dark page."""
    name = escape(_clean(title), quote=False)
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(_clean(title))}" {_FONT}>',
        f"<title>{name}</title>",
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8" fill="{CARD}" stroke="{GRID}"/>',
        *parts,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", fill: str = INK) -> str:
    """One line of text; *y* is its base line."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"'
    # A rim in the colour of the card keeps the words readable where lines cross them.
    rim = f'stroke="{CARD}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
    return f"<text {place} {rim}>{escape(_clean(words), quote=False)}</text>"


def line(start: tuple[float, float], end: tuple[float, float], *, colour: str = GRID, width: float = 1) -> str:
    """A straight line."""
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"/>'


def dot(x: float, y: float, *, colour: str, radius: float = 3.5) -> str:
    """A filled circle with a light rim, so that neighbours stay apart."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" stroke="{CARD}" stroke-width="1"/>'


def ticks(low: float, high: float, *, wanted: int = 5) -> list[float]:
    """Round numbers over [low, high]: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not math.isfinite(span) or span < sys.float_info.min:
        return [low]
    rough = span / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _clean(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words)
