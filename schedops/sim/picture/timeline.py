"""Runs above each other on one time axis: lanes of CPUs, slices in the colour of their group, when each group ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schedops.model.simulation import SimPlan, SimResult
from schedops.report import svg
from schedops.sim.groups import Groups, Span, spans
from schedops.sim.picture.columns import Bar, bars
from schedops.sim.picture.window import Window, clipped, window_of
from schedops.sim.stream import slices

# Distinct also for people who do not see all colours (Okabe & Ito 2008), then a few more.
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00",
    "#8250df", "#6e7781", "#b5a800", "#a40e26", "#1b7c83", "#7d4e00",
)  # fmt: skip
MAX_ROWS = 12  # groups that have a line of their own
_WIDTH, _LEFT, _RIGHT = 1000.0, 92.0, 76.0
_COLUMNS = int(_WIDTH - _LEFT - _RIGHT)
_TOP, _FOOT, _HEAD, _GAP, _ROW = 70.0, 44.0, 24.0, 22.0, 15.0
_LANE, _LEAST_LANE, _LANES = 15.0, 1.0, 260.0  # of one CPU, and of all of a large machine


@dataclass(frozen=True, slots=True)
class Panel:
    """One run with its trace.

    :param heading: who schedules, and what came of it.
    :param notes: for each group what is said of it when it does not end.
    """

    heading: str
    plan: SimPlan
    result: SimResult
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    groups: Groups
    window: Window
    cpus: int

    @property
    def lane(self) -> float:
        """Height of a CPU's lane."""
        return _LANE if self.cpus * _LANE <= _LANES else max(_LEAST_LANE, _LANES / self.cpus)

    @property
    def rows(self) -> int:
        """Lines for groups."""
        return len(self.groups.names) if len(self.groups.names) <= MAX_ROWS else 1

    @property
    def height(self) -> float:
        """Of one panel."""
        return _HEAD + self.cpus * self.lane + 6 + self.rows * _ROW

    def x(self, time_ns: int) -> float:
        return _LEFT + _COLUMNS * min(1.0, max(0.0, (time_ns - self.window.start_ns) / self.window.length_ns))


def timeline(title: str, subtitle: str, panels: Sequence[Panel], groups: Groups) -> bytes:
    """SVG, well formed, without scripts; equal runs give equal bytes. Its size does not grow with the trace.

    :param groups: of the tasks of every panel; all plans have the same tasks in the same order.
    """
    window = window_of([panel.result for panel in panels], groups, columns=_COLUMNS)
    frame = _Frame(groups, window, max(len(panel.result.cpus) for panel in panels))
    if not window.whole:
        subtitle += f"; {_time(window.length_ns)} from {_time(window.start_ns)} on"
    parts = [svg.text(24, 30, title, size=16), svg.text(24, 51, subtitle, fill=svg.SOFT)]
    top = _TOP
    for panel in panels:
        parts += _panel(panel, frame, top)
        top += frame.height + _GAP
    parts += _axis(frame, top - _GAP)
    return svg.canvas(_WIDTH, top - _GAP + _FOOT, title=f"{title}. {subtitle}", parts=parts)


def colour(group: int) -> str:
    """Of a group; they come round again after twelve."""
    return COLOURS[group % len(COLOURS)]


def _panel(panel: Panel, frame: _Frame, top: float) -> list[str]:
    lanes = top + _HEAD
    bottom = lanes + frame.cpus * frame.lane
    inside = clipped(slices(panel.result.trace, panel.result.end_ns), frame.window)
    # From near, every slice is seen; from afar, only whose they are.
    of_task = frame.groups.of_task if frame.window.whole else tuple(range(len(frame.groups.of_task)))
    found = bars(inside, of_task, cpus=frame.cpus, columns=_COLUMNS, until_ns=frame.window.length_ns)
    its = spans(frame.groups, panel.result)
    return [
        svg.text(24, top + 14, panel.heading, size=13),
        _rectangle(lanes, frame.cpus * frame.lane),
        *_slices(found, frame, lanes),
        *_names_of_cpus(frame, lanes),
        *_ends(its, frame, lanes, bottom),
        *_rows(its, panel.notes, frame, bottom + 6),
    ]


def _rectangle(top: float, height: float) -> str:
    return f'<rect x="{_LEFT:g}" y="{top:g}" width="{_COLUMNS}" height="{height:g}" fill="#f3f4f6"/>'


def _slices(found: Sequence[Bar], frame: _Frame, top: float) -> list[str]:
    # One path a group, a horizontal line a bar: ten bytes for each, whatever the trace held.
    strokes: dict[str, list[str]] = {}
    for bar in found:
        y = top + (bar.cpu + 0.5) * frame.lane
        group, length = bar.owner, bar.last - bar.first
        if not frame.window.whole:
            group, length = frame.groups.of_task[bar.owner], length - (length > 2)  # a gap tells neighbours apart
        strokes.setdefault(colour(group), []).append(f"M{_LEFT + bar.first:g} {y:.4g}h{length}")
    width = frame.lane - (2 if frame.lane > 6 else 0)
    return [
        f'<path d="{"".join(strokes[its])}" stroke="{its}" stroke-width="{width:.4g}" shape-rendering="crispEdges"/>'
        for its in COLOURS
        if its in strokes
    ]


def _names_of_cpus(frame: _Frame, top: float) -> list[str]:
    shown = range(frame.cpus) if frame.lane >= 10 else sorted({0, frame.cpus - 1})
    return [
        svg.text(_LEFT - 8, top + (cpu + 0.5) * frame.lane + 4, f"CPU {cpu}", size=10, anchor="end", fill=svg.SOFT)
        for cpu in shown
    ]


def _ends(its: Sequence[Span], frame: _Frame, top: float, bottom: float) -> list[str]:
    # A light rim, so that the line is seen on slices of its own colour. Of many groups nobody could tell the lines.
    if len(its) > MAX_ROWS:
        return []
    parts = []
    for group, span in enumerate(its):
        if span.end_ns >= 0:
            x = frame.x(span.end_ns)
            ends = (x, top - 3), (x, bottom + 3)
            parts += [svg.line(*ends, colour=svg.CARD, width=3.5), svg.line(*ends, colour=colour(group), width=1.5)]
    return parts


def _rows(its: Sequence[Span], notes: Sequence[str], frame: _Frame, top: float) -> list[str]:
    if len(its) > MAX_ROWS:
        ended = [(frame.x(span.end_ns), group) for group, span in enumerate(its) if span.end_ns >= 0]
        name = svg.text(_LEFT - 8, top + 11, f"{len(its)} ends", size=10, anchor="end", fill=svg.SOFT)
        return [name, *(svg.dot(x, top + 7, colour=colour(group)) for x, group in ended)]
    return [
        part
        for group, span in enumerate(its)
        for part in _row(group, span, notes[group] if notes else "", frame, top + group * _ROW)
    ]


def _row(group: int, span: Span, note: str, frame: _Frame, top: float) -> list[str]:
    y = top + _ROW / 2
    name = frame.groups.names[group]
    title = svg.text(_LEFT - 8, y + 4, name if len(name) <= 14 else f"{name[:13]}…", size=10, anchor="end")
    if span.end_ns < 0 and note:
        return [title, svg.dot(_LEFT + 6, y, colour=colour(group)), svg.text(_LEFT + 16, y + 4, note, size=10)]
    begin, end = frame.x(span.arrival_ns), frame.x(span.end_ns if span.end_ns >= 0 else frame.window.end_ns)
    took = _time(span.end_ns - span.arrival_ns) if span.end_ns >= 0 else "not done"
    return [
        title,
        svg.line((begin, y), (end, y), colour=colour(group), width=4),
        *([svg.dot(end, y, colour=colour(group), radius=5)] if span.end_ns >= 0 else []),
        svg.text(end + 9, y + 4, took, size=10),
    ]


def _axis(frame: _Frame, y: float) -> list[str]:
    end_ns = frame.window.end_ns
    unit, per_unit = ("s", 1e9) if end_ns >= 2e9 else ("ms", 1e6) if end_ns >= 2e6 else ("us", 1e3)
    parts = [svg.line((_LEFT, y + 4), (_LEFT + _COLUMNS, y + 4), colour=svg.SOFT)]
    for tick in svg.ticks(frame.window.start_ns / per_unit, end_ns / per_unit, wanted=8):
        x = frame.x(round(tick * per_unit))
        parts += [
            svg.line((x, y + 4), (x, y + 9), colour=svg.SOFT),
            svg.text(x, y + 23, f"{tick:.6g} {unit}", size=11, anchor="middle", fill=svg.SOFT),
        ]
    return parts


def _time(ns: int) -> str:
    for unit, per_unit in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= per_unit:
            return f"{ns / per_unit:.3g} {unit}"
    return f"{ns} ns"
