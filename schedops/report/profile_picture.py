"""A profile as a picture: what ran, what waited, and how long the longest wait was, over time."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.probe import ProbedSlot, ProbeReading
from schedops.report import svg

_WIDTH, _LEFT, _RIGHT = 760.0, 64.0, 16.0
_PANEL, _GAP, _TOP, _BOTTOM = 120.0, 44.0, 64.0, 40.0
_RUNNING, _WAITING, _LONGEST = "#1f6feb", "#d4a72c", "#cf222e"


def profile_picture(found: ProbeReading, *, title: str, cpus: int) -> bytes:
    """SVG: above, tasks on CPUs and tasks that wait for one (mean of each slot); below, the longest wait.

    :raises ValueError: nothing was counted over time.
    """
    slots = _filled(found)
    if not slots:
        raise ValueError("the probes counted nothing over time")
    counts = [((slot.run_ns / found.slot_ns), (slot.wait_ns / found.slot_ns)) for slot in slots]
    waits_ms = [slot.latency_max_ns / 1e6 for slot in slots]
    longest_ms = max(*waits_ms, 0.001)
    seconds = len(slots) * found.slot_ns / 1e9
    height = _TOP + 2 * _PANEL + _GAP + _BOTTOM
    below = _TOP + _PANEL + _GAP
    most = max(cpus, *(run + wait for run, wait in counts))
    parts = [
        svg.text(_LEFT, 24, title, size=15),
        svg.text(_LEFT, 42, f"slots of {found.slot_ns / 1e6:g} ms", fill=svg.SOFT),
        *_axis(_TOP, most, "tasks"),
        *_stacked(counts, most),
        *_cpus_line(cpus, most),
        *_legend(),
        *_axis(below, longest_ms, "ms"),
        *_bars(waits_ms, below, longest_ms, _LONGEST),
        svg.text(_LEFT, below - 8, "longest wait for a CPU that ended in each slot", fill=_LONGEST),
        *_seconds(seconds, height - _BOTTOM),
    ]
    return svg.canvas(_WIDTH, height, title=title, parts=parts)


def _filled(found: ProbeReading) -> Sequence[ProbedSlot]:
    last = max((index for index, slot in enumerate(found.slots) if slot.run_ns or slot.wait_ns), default=-1)
    return found.slots[: last + 1]


def _stacked(counts: Sequence[tuple[float, float]], most: float) -> list[str]:
    run = _bars([run for run, _ in counts], _TOP, most, _RUNNING)
    both = _bars([run + wait for run, wait in counts], _TOP, most, _WAITING)
    return [*both, *run]


def _bars(values: Sequence[float], top: float, most: float, colour: str) -> list[str]:
    step = (_WIDTH - _LEFT - _RIGHT) / len(values)
    foot = top + _PANEL
    return [
        svg.line((x, foot), (x, foot - _PANEL * value / most), colour=colour, width=max(1.0, step * 0.9))
        for place, value in enumerate(values)
        if value > 0
        for x in [_LEFT + (place + 0.5) * step]
    ]


def _axis(top: float, most: float, unit: str) -> list[str]:
    parts = []
    for value in svg.ticks(0, most, wanted=4):
        y = top + _PANEL * (1 - value / most)
        parts += [svg.line((_LEFT, y), (_WIDTH - _RIGHT, y)), svg.text(_LEFT - 6, y + 4, f"{value:g}", anchor="end")]
    return [*parts, svg.text(_LEFT - 6, top - 8, unit, anchor="end", fill=svg.SOFT)]


def _cpus_line(cpus: int, most: float) -> list[str]:
    y = _TOP + _PANEL * (1 - cpus / most)
    return [
        svg.line((_LEFT, y), (_WIDTH - _RIGHT, y), colour=svg.INK),
        svg.text(_WIDTH - _RIGHT, y - 4, f"{cpus} CPUs", anchor="end"),
    ]


def _legend() -> list[str]:
    y = _TOP - 8
    return [
        svg.text(_LEFT + 6, y, "on a CPU", fill=_RUNNING),
        svg.text(_LEFT + 76, y, "waiting for one", fill=_WAITING),
    ]


def _seconds(seconds: float, y: float) -> list[str]:
    width = _WIDTH - _LEFT - _RIGHT
    marks = svg.ticks(0, seconds, wanted=8)
    return [svg.text(_LEFT + width * at / seconds, y + 18, f"{at:g} s", anchor="middle") for at in marks]
