"""Medians and changes out of measurements and decision, ready to be written or drawn."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from schedops.model.decision import Decision, Reason
from schedops.model.measurements import Measurements, Sample
from schedops.model.verdict import Verdict, worst
from schedops.model.workload import Workload
from schedops.propose.dossier import Dossier

ARMS = ("eevdf", "informed", "candidate")
ARM_NAMES = {"eevdf": "EEVDF", "informed": "informed default", "candidate": "candidate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric of the table.

    :param medians: per arm in the order of ARMS; None where nothing valid was measured.
    :param first: the change that the proposal stands on (proposed arm against EEVDF).
    :param second: for a policy: against the informed default; for settings: the policy against the informed default.
    """

    metric: str
    unit: str
    role: str
    hard: bool
    medians: tuple[float | None, ...]
    first: Reason | None
    second: Reason | None
    verdict: Verdict | None


def metrics_of(workload: Workload) -> tuple[tuple[str, str, str, bool], ...]:
    """(metric, unit, role, hard) in the order a reviewer reads them: objectives, hard guards, soft guards."""
    objectives = [(objective.metric, objective.unit, "objective", True) for objective in workload.objectives]
    guards = [(guard.metric, guard.unit, "guard", guard.hard) for guard in workload.guards]
    return (*objectives, *sorted(guards, key=lambda entry: not entry[3]))


def rows(dossier: Dossier) -> tuple[Row, ...]:
    """The table, one row per metric of the workload."""
    return tuple(_row(dossier, *entry) for entry in metrics_of(dossier.workload))


def _row(dossier: Dossier, metric: str, unit: str, role: str, hard: bool) -> Row:  # noqa: FBT001 - a field, not a switch
    first = find(dossier.decision, metric, arm=dossier.arm, baseline="eevdf")
    second = find(dossier.decision, metric, arm="candidate", baseline="informed")
    counted = (first,) if dossier.settings_only or role == "guard" else (first, second)
    known = [reason.verdict for reason in counted if reason is not None]
    return Row(
        metric=metric,
        unit=unit,
        role=role,
        hard=hard,
        medians=tuple(median(dossier.measurements, metric, arm) for arm in ARMS),
        first=first,
        second=second,
        verdict=worst(known) if len(known) == len(counted) else None,
    )


def find(decision: Decision, metric: str, *, arm: str, baseline: str) -> Reason | None:
    """The gate's reason for a metric between two arms."""
    return next(
        (
            reason
            for reason in decision.reasons
            if (reason.metric, reason.arm, reason.baseline) == (metric, arm, baseline) and reason.role != "condition"
        ),
        None,
    )


def values(measurements: Measurements, metric: str, arm: str) -> dict[int, float]:
    """Round -> value, of valid samples."""
    return {
        sample.round: value
        for sample in measurements.samples
        if sample.arm == arm and sample.valid and (value := _value(sample, metric)) is not None
    }


def median(measurements: Measurements, metric: str, arm: str) -> float | None:
    """Over the valid samples of an arm."""
    found = values(measurements, metric, arm)
    return statistics.median(found.values()) if found else None


def headline(dossier: Dossier) -> Row | None:
    """The objective to show first: one that passed, else the first."""
    objectives = [row for row in rows(dossier) if row.role == "objective"]
    return next((row for row in objectives if row.verdict is Verdict.PASS), next(iter(objectives), None))


def percent(fraction: float) -> str:
    """Signed, one decimal."""
    return f"{100 * fraction:+.1f} %"


def amount(value: float | None) -> str:
    """Three significant digits, no exponent."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    digits = max(0, 2 - int(f"{abs(value):e}".partition("e")[2]))
    return f"{value:.{min(digits, 6)}f}"


def change(reason: Reason | None) -> str:
    """Estimate and interval in words."""
    if reason is None or reason.estimate is None:
        return "not measured"
    if reason.low is None or reason.high is None:
        return f"{percent(reason.estimate)} (no interval)"
    return f"{percent(reason.estimate)} [{percent(reason.low)}, {percent(reason.high)}]"


def metric_name(metric: str) -> str:
    """As people read it."""
    return metric.replace("_", " ")


def _value(sample: Sample, metric: str) -> float | None:
    return next((value.value for value in sample.metrics if value.metric == metric), None)
