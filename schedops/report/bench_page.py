"""A comparison as people read it: medians per arm, changes with their intervals, verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from schedops.model.decision import Decision, Reason
from schedops.model.measurements import Measurements
from schedops.model.rung import WORDS
from schedops.model.workload import Workload
from schedops.report.profile_page import number
from schedops.report.table import paragraph, table
from schedops.stats.summary import median

_HEADER = ("METRIC", "WANTED", "EEVDF", "INFORMED", "CANDIDATE", "VS EEVDF", "VERDICT", "VS INFORMED", "VERDICT")


def bench_page(workload: Workload, measurements: Measurements, decision: Decision) -> str:
    """One row per metric of the workload's objectives and guards, then every other metric that was read."""
    head = (
        f"{measurements.policy} on {measurements.workload}, {WORDS.get(decision.rung, decision.rung)}: "
        f"{len(measurements.rounds)} rounds of three arms{_what(measurements)}, "
        f"{measurements.kernel}, {measurements.cpus} CPUs, {measurements.accelerator}, {measurements.seconds:.0f} s"
    )
    rows = [_row(metric, wanted, measurements, decision) for metric, wanted in _wanted(workload, measurements)]
    return "\n\n".join(
        [
            paragraph(head),
            table(_HEADER, rows, width=200),
            paragraph(
                f"Medians of the valid runs; changes with their {100 * decision.confidence:g} % interval, "
                "negative = smaller than the baseline."
            ),
            *_invalid(measurements),
            paragraph(f"{decision.verdict.value}: {decision.summary}"),
        ]
    )


def medians(measurements: Measurements, metric: str) -> dict[str, float]:
    """Arm -> median of the metric over its valid samples; arms without one are left out."""
    found: dict[str, list[float]] = {}
    for sample in measurements.samples:
        if sample.valid:
            found.setdefault(sample.arm, []).extend(one.value for one in sample.metrics if one.metric == metric)
    return {arm: median(values) for arm, values in found.items() if values}


def change(reason: Reason | None) -> str:
    """Estimate and interval in per cent."""
    if reason is None or reason.estimate is None:
        return "-"
    if reason.low is None or reason.high is None:
        return f"{100 * reason.estimate:+.1f} %"
    return f"{100 * reason.estimate:+.1f} % [{100 * reason.low:+.1f}, {100 * reason.high:+.1f}]"


def _what(measurements: Measurements) -> str:
    return "" if measurements.programs is None else " of real programs"


def _wanted(workload: Workload, measurements: Measurements) -> Iterable[tuple[str, str]]:
    for objective in workload.objectives:
        yield objective.metric, f"{objective.direction}, {objective.min_effect:.0%} or more"
    for guard in workload.guards:
        yield guard.metric, f"{guard.max_harm:.0%} worse at most" + ("" if guard.hard else " (reported)")
    spoken = {one.metric for one in workload.objectives} | {one.metric for one in workload.guards}
    others = dict.fromkeys(value.metric for sample in measurements.samples for value in sample.metrics)
    for metric in others:
        if metric not in spoken:
            yield metric, ""


def _row(metric: str, wanted: str, measurements: Measurements, decision: Decision) -> tuple[str, ...]:
    middle = medians(measurements, metric)
    over_default, over_informed = (_reason(decision, metric, baseline) for baseline in ("eevdf", "informed"))
    return (
        metric,
        wanted or "-",
        *(number(middle[arm]) if arm in middle else "-" for arm in ("eevdf", "informed", "candidate")),
        change(over_default),
        over_default.verdict.value if over_default else "-",
        change(over_informed),
        over_informed.verdict.value if over_informed else "-",
    )


def _reason(decision: Decision, metric: str, baseline: str) -> Reason | None:
    wanted = (metric, "candidate", baseline)
    return next((one for one in decision.reasons if (one.metric, one.arm, one.baseline) == wanted), None)


def _invalid(measurements: Measurements) -> list[str]:
    bad = [sample for sample in measurements.samples if not sample.valid]
    lines = [f"  round {one.round}, {one.arm}: {one.why_invalid}" for one in bad]
    return ["\n".join([f"{len(bad)} of {len(measurements.samples)} runs were not counted:", *lines])] if bad else []
