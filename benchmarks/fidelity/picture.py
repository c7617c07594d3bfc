"""The scatter of all cells: simulated change to the right, measured change up, on a logarithmic scale of ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from schedops.report.svg import GRID, INK, SOFT, canvas, dot, line, text

from .cells import DIMENSIONS, LATENCY, MAKESPAN, SHARE, USE
from .judging import Cell

WIDTH, HEIGHT = 660, 650
LEFT, TOP, SIDE = 90, 60, 520
COLOURS = {MAKESPAN: "#0969da", LATENCY: "#bc4c00", SHARE: "#1a7f37", USE: "#8250df"}
PALE = "#b6bec7"  # the VM cannot tell
_RATIOS = (0.125, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 8)
_LEAST, _MOST, _MARGIN = 2.0, 8.0, 1.1  # the scale goes from half to double at least, to eight times at most


def picture_of(cells: Sequence[Cell]) -> bytes:
    """An SVG; cells without an estimate on both sides are not in it."""
    shown = [cell for cell in cells if _ratio(cell.simulated.estimate) and _ratio(cell.measured.estimate)]
    low, high = _limits(shown)
    parts = [*_frame(low, high)]
    for cell in sorted(shown, key=lambda cell: cell.told):  # those that tell lie on top
        parts += _mark(cell, low, high)
    return canvas(WIDTH, HEIGHT, title="Simulated against measured change", parts=[*parts, *_legend(shown)])


def _frame(low: float, high: float) -> Iterable[str]:
    yield text(LEFT, 28, "Each policy against EEVDF: simulated and measured, with the measured interval", size=14)
    for ratio in _RATIOS:
        if low <= ratio <= high:
            at, words = _place(ratio, low, high), _percent(ratio)
            colour = SOFT if ratio == 1 else GRID
            yield line((LEFT + at, TOP), (LEFT + at, TOP + SIDE), colour=colour)
            yield line((LEFT, TOP + SIDE - at), (LEFT + SIDE, TOP + SIDE - at), colour=colour)
            yield text(LEFT + at, TOP + SIDE + 18, words, size=11, anchor="middle", fill=SOFT)
            yield text(LEFT - 6, TOP + SIDE - at + 4, words, size=11, anchor="end", fill=SOFT)
    yield line((LEFT, TOP + SIDE), (LEFT + SIDE, TOP), colour=INK)
    yield text(LEFT + SIDE, TOP + SIDE + 38, "simulated change", size=12, anchor="end")
    yield text(LEFT, TOP + SIDE + 38, "what is beyond the scale is drawn at its end", size=11, fill=SOFT)
    yield text(LEFT, TOP - 10, "measured change", size=12)


def _mark(cell: Cell, low: float, high: float) -> Iterable[str]:
    colour = COLOURS[cell.measure.dimension] if cell.told else PALE
    x = LEFT + _place(_ratio(cell.simulated.estimate), low, high)
    if cell.measured.low is not None and cell.measured.high is not None:
        ends = [(x, TOP + SIDE - _place(_ratio(end), low, high)) for end in (cell.measured.low, cell.measured.high)]
        yield line(ends[0], ends[1], colour=colour, width=1.2)
    yield dot(x, TOP + SIDE - _place(_ratio(cell.measured.estimate), low, high), colour=colour)


def _legend(cells: Sequence[Cell]) -> Iterable[str]:
    known = [name for name in DIMENSIONS if any(cell.told and cell.measure.dimension == name for cell in cells)]
    entries = [(name, COLOURS[name]) for name in known]
    entries += [("VM too noisy to tell", PALE)] if any(not cell.told for cell in cells) else []
    for at, (name, colour) in enumerate(entries):
        y = TOP + 16 + 18 * at
        yield dot(LEFT + 14, y - 4, colour=colour)
        yield text(LEFT + 24, y, name, size=11)


def _limits(cells: Sequence[Cell]) -> tuple[float, float]:
    ends = [
        _ratio(end)
        for cell in cells
        for end in (cell.simulated.estimate, cell.measured.estimate, cell.measured.low, cell.measured.high)
    ]
    known = [end for end in ends if end] or [1.0]
    low, high = min(known) / _MARGIN, max(known) * _MARGIN
    return max(1 / _MOST, min(1 / _LEAST, low)), min(_MOST, max(_LEAST, high))


def _ratio(change: float | None) -> float:
    """0 where there is none that a logarithm could show."""
    return 0.0 if change is None or change <= -1 else 1 + change


def _place(ratio: float, low: float, high: float) -> float:
    """What is beyond the scale is at its end."""
    return SIDE * math.log(min(max(ratio, low), high) / low) / math.log(high / low)


def _percent(ratio: float) -> str:
    return "0" if ratio == 1 else f"{100 * (ratio - 1):+.0f} %"
