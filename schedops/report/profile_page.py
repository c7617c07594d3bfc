"""A profile as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.jobs import Hints
from schedops.model.profile import TIERS, Profile, TaskClassFigures, TierCost
from schedops.report.table import paragraph, table

_QUANTILES = ("min", "25 %", "50 %", "75 %", "95 %", "max")
_EDGES = 8  # of the wake graph; the document has all that were kept

# One class of a workload, how sure, and (how far fulfilled, words, threshold) of each figure that it needs.
Weighed = tuple[str, float, tuple[tuple[float, str, str], ...]]


def profile_page(profile: Profile, hints: Hints | None, weighed: Sequence[Weighed] | None = None) -> str:
    """What it is, in words; then classes, tasks, figures, what is missing, what it has cost.

    :param weighed: how each rule came to its score; None: nobody asked.
    """
    parts = [
        paragraph(_head(profile)),
        paragraph(profile.words),
        _table("CLASSES", ("CLASS", "CONFIDENCE", "BECAUSE"), [
            (one.name, _or_dash(one.confidence), one.because) for one in profile.classes
        ]),
        _explained(weighed) if weighed is not None else "",
        _tasks(profile.tasks),
        _table("WHO WAKES WHOM", ("WAKER", "WOKEN", "TIMES", "OF ALL"), [
            (one.waker, one.woken, str(one.times), f"{one.share:.0%}") for one in profile.wakes[:_EDGES]
        ]),
        _table("CANDIDATE SLOS", ("METRIC", "BOUND", "UNIT", "BECAUSE"), [
            (one.metric, f"{'<=' if one.direction == 'lower' else '>='} {number(one.bound)}", one.unit, one.because)
            for one in profile.slos
        ]),
        _table("FIGURES", ("FIGURE", "VALUE", "UNIT", "HOW"), [
            (one.name, number(one.value), one.unit, one.how) for one in profile.figures
        ]),
        _quantiles(profile),
        _table("MISSING", ("WHAT", "WHY"), [(one.what, one.reason) for one in profile.missing]),
        _costs(profile),
        paragraph(f"hints: expected CPU time of {len(hints.hints)} jobs, measured") if hints is not None else "",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _head(profile: Profile) -> str:
    scale = "" if profile.scale in {None, 1.0} else f", scale {profile.scale:g}"
    if profile.tier == "summary":
        return f"{profile.workload}, {profile.cpus} CPUs, seed {profile.seed}{scale}, without a run"
    if profile.kernel == "recorded":
        return f"{profile.workload}, {profile.cpus} CPUs, as it was recorded: {profile.source}"
    return (
        f"{profile.workload} on {profile.kernel}, {profile.cpus} CPUs, seed {profile.seed}{scale}, "
        f"{profile.accelerator}, under the default scheduler"
    )


def _table(title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return f"{title}\n{table(header, rows, indent=2)}" if rows else ""


def _explained(weighed: Sequence[Weighed]) -> str:
    rows = [
        (name if first else "", f"{score:.2f}" if first else "", f"{fulfilled:.2f}", threshold, words)
        for name, score, needs in weighed
        for first, (fulfilled, words, threshold) in ((at == 0, need) for at, need in enumerate(needs))
    ]
    return _table("RULES", ("CLASS", "SCORE", "FULFILLED", "THRESHOLD", "FIGURE"), rows)


def _tasks(rows: Sequence[TaskClassFigures]) -> str:
    header = (
        "TASKS",
        "ROLE",
        "COUNT",
        "CPU MS",
        "WAIT MS",
        "OFF MS",
        "WAKE-UPS",
        "BY TASKS",
        "WAIT P99 US",
        "BURST P50 US",
    )
    cells = [
        (
            one.name,
            one.role,
            str(one.tasks),
            number(round(one.cpu_ms)),
            number(round(one.wait_ms)),
            number(round(one.off_ms)),
            str(one.wakeups),
            "-" if one.woken_by_tasks is None else f"{one.woken_by_tasks:.0%}",
            _or_dash(one.wait_p99_us),
            _or_dash(one.burst_p50_us),
        )
        for one in rows
    ]
    return _table("TASKS BY CLASS", header, cells)


def _or_dash(value: float | None) -> str:
    return "-" if value is None else number(value)


def _quantiles(profile: Profile) -> str:
    pairs = zip(_QUANTILES, profile.cpu_ms_quantiles, strict=False)
    said = ", ".join(f"{name} {number(ms)}" for name, ms in pairs)
    return paragraph(f"CPU time per task, ms: {said}") if said else ""


def _costs(profile: Profile) -> str:
    rows = [(one.tier, f"{one.seconds:.1f}", _overhead(one), one.how) for one in profile.costs]
    dearer = [one for one in profile.costs if TIERS.index(one.tier) > TIERS.index(profile.tier)]
    ends = [f"looked at as tier {profile.tier}"]
    ends += [f"`--tier {one.tier}` would take about {one.seconds:.0f} s" for one in dearer]
    return (
        f"{_table('COSTS', ('TIER', 'SECONDS', 'OVERHEAD', 'HOW'), rows)}\n{paragraph('; '.join(ends))}" if rows else ""
    )


def _overhead(one: TierCost) -> str:
    return "-" if one.overhead is None else f"{one.overhead:+.1%}"


def number(value: float) -> str:
    """Four significant digits, whole numbers whole."""
    return f"{value:.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"
