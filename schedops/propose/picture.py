"""The comparison as one picture: every round of the three arms, and every change with its interval."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise

from schedops.model.decision import Reason
from schedops.propose.dossier import Dossier
from schedops.propose.figures import ARM_NAMES, ARMS, Row, amount, headline, metric_name, rows, values
from schedops.report import svg

_WIDTH, _TOP, _LEFT_END = 900.0, 74.0, 400.0
_PLOT_HEIGHT, _FOOT = 250.0, 46.0
_COLOURS = {"eevdf": "#6e7781", "informed": "#b35900", "candidate": "#0969da"}
_BARS = ("#0969da", "#8250df")  # the change the proposal stands on, and the second one of the table
_MAX_METRICS = 6


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps [low, high] to pixels [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def picture(dossier: Dossier) -> bytes:
    """SVG, well formed, without scripts. Equal dossiers give equal bytes."""
    table = rows(dossier)[:_MAX_METRICS]
    height = _TOP + max(_PLOT_HEIGHT, 46.0 * len(table)) + _FOOT
    title = f"{dossier.workload.name}: {dossier.policy.name} against EEVDF and the informed default"
    measured = dossier.measurements
    said = "settings are enough" if dossier.settings_only else dossier.decision.verdict.value
    where = f"kernel {measured.kernel}, {measured.cpus} CPUs, {measured.accelerator}"
    parts = [
        svg.text(24, 30, title, size=16),
        svg.text(24, 50, f"gate: {said}; {where}", fill=svg.SOFT),
        *_rounds(dossier, height - _FOOT),
        *_changes(table, height - _FOOT),
    ]
    return svg.canvas(_WIDTH, height, title=title, parts=parts)


def _rounds(dossier: Dossier, bottom: float) -> list[str]:
    row = headline(dossier)
    series = {arm: values(dossier.measurements, row.metric, arm) for arm in ARMS} if row else {}
    figures = [value for arm in series.values() for value in arm.values() if math.isfinite(value)]
    if row is None or not figures:
        return [svg.text(212, 190, "nothing valid was measured", anchor="middle", fill=svg.SOFT)]
    scale = _padded(figures, start=bottom, end=_TOP + 22)
    columns = {arm: 120.0 + 115.0 * at for at, arm in enumerate(ARMS)}
    return [
        svg.text(24, _TOP + 6, f"{metric_name(row.metric)} [{row.unit}], one line per round", fill=svg.SOFT),
        *_value_axis(scale, left=64, right=_LEFT_END),
        *_pair_lines(series, columns, scale),
        *(part for arm in ARMS for part in _column(arm, series[arm], columns[arm], scale)),
        *(svg.text(columns[arm], bottom + 22, ARM_NAMES[arm], anchor="middle", fill=_COLOURS[arm]) for arm in ARMS),
    ]


def _padded(figures: list[float], *, start: float, end: float) -> _Scale:
    low, high = min(figures), max(figures)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return _Scale(low - margin, high + margin, start, end)


def _value_axis(scale: _Scale, *, left: float, right: float) -> list[str]:
    parts = []
    for tick in svg.ticks(scale.low, scale.high):
        y = scale.at(tick)
        parts += [svg.line((left, y), (right, y)), svg.text(left - 6, y + 4, f"{tick:.6g}", size=11, anchor="end")]
    return parts


def _pair_lines(series: dict[str, dict[int, float]], columns: dict[str, float], scale: _Scale) -> list[str]:
    parts = []
    for first, second in pairwise(ARMS):
        for number in sorted(series[first].keys() & series[second].keys()):
            start, end = ((columns[arm], scale.at(series[arm][number])) for arm in (first, second))
            parts.append(svg.line(start, end, colour="#afb8c1", width=0.8))
    return parts


def _column(arm: str, found: dict[int, float], x: float, scale: _Scale) -> list[str]:
    if not found:
        return [svg.text(x, scale.end + 14, "not measured", size=11, anchor="middle", fill=svg.SOFT)]
    middle = statistics.median(found.values())
    y = scale.at(middle)
    return [
        *(svg.dot(x, scale.at(value), colour=_COLOURS[arm]) for _, value in sorted(found.items())),
        svg.line((x - 26, y), (x + 26, y), colour=_COLOURS[arm], width=3),
        svg.text(x + 30, y + 4, amount(middle), size=11, fill=_COLOURS[arm]),
    ]


def _changes(table: tuple[Row, ...], bottom: float) -> list[str]:
    reasons = [reason for row in table for reason in (row.first, row.second) if reason is not None]
    bounds = [bound for reason in reasons for bound in (reason.low, reason.high) if bound is not None]
    if not bounds:
        return [svg.text(660, 190, "too few pairs for intervals", anchor="middle", fill=svg.SOFT)]
    scale = _padded([*bounds, 0.0], start=610.0, end=_WIDTH - 24)
    return [
        svg.text(450, _TOP + 6, "change and its interval, left of zero is less", fill=svg.SOFT),
        *_change_axis(scale, bottom),
        *(part for at, row in enumerate(table) for part in _metric(row, _TOP + 44 + 46.0 * at, scale)),
        *_legend(table[0], bottom + 34),
    ]


def _legend(row: Row, y: float) -> list[str]:
    parts, x = [], 450.0
    for reason, colour in zip((row.first, row.second), _BARS, strict=True):
        if reason is not None:
            words = f"{ARM_NAMES[reason.arm]} against {ARM_NAMES[reason.baseline]}"
            parts += [svg.dot(x, y - 4, colour=colour, radius=4.5), svg.text(x + 10, y, words, size=11, fill=svg.SOFT)]
            x += 220
    return parts


def _change_axis(scale: _Scale, bottom: float) -> list[str]:
    parts = []
    for tick in svg.ticks(scale.low, scale.high, wanted=6):
        x = scale.at(tick)
        colour, width = (svg.SOFT, 1.5) if abs(tick) < 1e-12 else (svg.GRID, 1.0)
        parts += [
            svg.line((x, _TOP + 22), (x, bottom), colour=colour, width=width),
            svg.text(x, bottom + 18, _tick_words(tick), size=11, anchor="middle"),
        ]
    return parts


def _tick_words(tick: float) -> str:
    return "0 %" if abs(tick) < 1e-12 else f"{100 * tick:+.3g} %"


def _metric(row: Row, y: float, scale: _Scale) -> list[str]:
    role = "objective" if row.role == "objective" else "guard" if row.hard else "guard, reported only"
    verdict = row.verdict.value if row.verdict else "not judged"
    parts = [
        svg.text(590, y - 2, metric_name(row.metric), size=11, anchor="end"),
        svg.text(590, y + 11, f"{role}: {verdict}", size=10, anchor="end", fill=svg.SOFT),
    ]
    for reason, colour, offset in zip((row.first, row.second), _BARS, (-6.0, 8.0), strict=True):
        if reason is not None:
            parts += _interval(reason, y + offset, scale, colour=colour)
    return parts


def _interval(reason: Reason, y: float, scale: _Scale, *, colour: str) -> list[str]:
    if reason.estimate is None or reason.low is None or reason.high is None:
        return []
    return [
        svg.line((scale.at(reason.low), y), (scale.at(reason.high), y), colour=colour, width=3),
        svg.dot(scale.at(reason.estimate), y, colour=colour, radius=4.5),
    ]
