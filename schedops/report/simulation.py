"""A simulated comparison as people read it. Every form of it says that nothing was measured, and on which machine."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.simulated import AfterEjection, SimClass, SimComparison, SimFigure
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.report.profile_page import number
from schedops.report.progress import visible
from schedops.report.table import paragraph, table

# What is shown of each class of tasks; the JSON has every figure.
_OF_CLASSES = (
    "mean_completion_ms",
    "requests_per_s",
    "request_p50_us",
    "request_p99_us",
    "wakeup_p50_us",
    "wakeup_p99_us",
    "longest_wait_ms",
    "fairness",
    "cpu_time_ms",
    "migrations",
)
_ENDS = {
    SimVerdict.EJECTED: "EJECTED, the kernel would have thrown it out",
    SimVerdict.FAULT: "FAULT, the policy broke in the sandbox",
    SimVerdict.STUCK: "STUCK, tasks are left and nothing can happen any more",
    SimVerdict.UNSUPPORTED: "INCONCLUSIVE",
    SimVerdict.PLAN_ERROR: "the workload cannot be run",
}
_WIDTH = 200  # numbers wrap badly
_MAX_CLASSES = 12
_SAME = 0.0005  # what is shown as 0.0 %


def simulation_page(comparison: SimComparison, *, brief: bool = False) -> str:
    """One row per metric of the workload, then every figure of the runs, then the classes of tasks.

    :param brief: objectives and guards alone.
    """
    if brief:
        wanted = tuple(one for one in comparison.figures if one.role in {"objective", "guard"})
        comparison = replace(comparison, figures=wanted, classes=())
    head = f"{comparison.policy} against {comparison.baseline} on {comparison.workload}"
    parts = [f"{head}\n{paragraph(where(comparison))}"]
    if comparison.figures:
        header = ("METRIC", "UNIT", "WANTED", comparison.baseline.upper(), comparison.policy.upper(), "CHANGE", "READS")
        parts.append(table(header, [_row(one) for one in comparison.figures], width=_WIDTH))
    if comparison.classes:
        header = ("CLASS", "TASKS", "FIGURE", "UNIT", comparison.baseline.upper(), comparison.policy.upper(), "CHANGE")
        rows = [row for one in comparison.classes[:_MAX_CLASSES] for row in _class_rows(one)]
        parts.append("PER CLASS OF TASK\n" + table(header, rows, width=_WIDTH, indent=2))
        if len(comparison.classes) > _MAX_CLASSES:
            parts.append(f"and {len(comparison.classes) - _MAX_CLASSES} classes more, in --output json")
    if comparison.figures:
        parts.append(paragraph(_reading(comparison)))
    return "\n\n".join([*parts, paragraph(ending(comparison))])


def where(comparison: SimComparison) -> str:
    """That it is simulated, on what, with which seeds."""
    seeds = comparison.seeds
    listed = (
        f"{seeds[0]} to {seeds[-1]}"
        if list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
        else ", ".join(map(str, seeds))
    )
    said = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds ({listed})"
    params = "".join(f", {one.name}={one.value}" for one in comparison.params)
    return f"simulated, not measured; machine {comparison.machine}, {comparison.cpus} CPUs, {said}{params}"


def ending(comparison: SimComparison) -> str:
    """How the policy's runs ended."""
    end = comparison.policy_end
    if end.verdict == SimVerdict.DONE:
        remark = f"; {end.message}" if end.message else ""
        return f"SIMULATED: {headline(comparison)}{remark}"
    words = f"{comparison.policy}, seed {comparison.failed_seed}: {end_words(end)}"
    return f"{words}. {_after(comparison.after_ejection, comparison)}" if comparison.after_ejection else words


def _after(after: AfterEjection, comparison: SimComparison) -> str:
    rest = f"Ejected after {after.ejected_ms / 1000:.3g} s; the rest ran on EEVDF"
    if after.makespan_ms is None:
        return rest
    beside = f", {after.baseline_ms:.1f} ms under {comparison.baseline}" if after.baseline_ms is not None else ""
    return f"{rest}: makespan {after.makespan_ms:.1f} ms{beside}"


def end_words(end: SimEnd) -> str:
    """Why a run ended, with the place in the policy's source when it is known."""
    words = f"{_ENDS.get(end.verdict, end.verdict)}: {visible(end.message)}"
    return f"{visible(end.place)}: {words}" if end.place else words


def headline(comparison: SimComparison) -> str:
    """The one change that the workload is about, in words; without objectives, the first figure that has one."""
    known = [one for one in comparison.figures if one.estimate is not None and one.better]
    if not known:
        return f"{comparison.policy} on {comparison.workload} against {comparison.baseline}"
    first = next((one for one in known if one.role == "objective"), known[0])
    name = first.name.replace("_", " ")
    return f"{comparison.policy} on {comparison.workload}: {name} {change(first)} against {comparison.baseline}"


def change(figure: SimFigure) -> str:
    """Estimate and interval in per cent."""
    if figure.estimate is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{_percent(figure.estimate)} %"
    return f"{_percent(figure.estimate)} % [{_percent(figure.low)}, {_percent(figure.high)}]"


def reads(figure: SimFigure) -> str:
    """What the interval says, by the rules of the gate; empty without an interval, or when no way is better.

    Of a guard: kept, broken or unclear. Else better, little better (less than is worth having), worse, same, unclear.
    """
    if figure.estimate is None or figure.low is None or figure.high is None or not figure.better:
        return ""
    low, high, estimate = figure.low, figure.high, figure.estimate
    if figure.better == "higher":
        low, high, estimate = -high, -low, -estimate
    if figure.role == "guard":
        limit = figure.limit or 0.0
        return "kept" if high <= limit else "broken" if low > 0 and estimate > limit else "unclear"
    if max(abs(low), abs(high)) < _SAME:
        return "same"
    if high < 0:
        return "better" if -estimate >= (figure.limit or 0.0) else "little better"
    return "worse" if low > 0 else "unclear"


def _row(one: SimFigure) -> tuple[str, ...]:
    wanted = {"floor": "cannot be less"}.get(one.role, one.wanted or "-")
    return (one.name, one.unit, wanted, _value(one.baseline), _value(one.policy), change(one), reads(one))


def _class_rows(one: SimClass) -> list[tuple[str, ...]]:
    shown = [figure for name in _OF_CLASSES for figure in one.figures if figure.name == name]
    return [
        (
            visible(one.label) if at == 0 else "",
            str(one.tasks) if at == 0 else "",
            figure.name,
            figure.unit,
            _value(figure.baseline),
            _value(figure.policy),
            change(figure),
        )
        for at, figure in enumerate(shown)
    ]


def _reading(comparison: SimComparison) -> str:
    several = any(one.low is not None for one in comparison.figures)
    interval = (
        f"medians over the seeds, changes paired by seed with their {100 * comparison.confidence:g} % interval"
        if several
        else "too few seeds for intervals, six give them"
    )
    return (
        f"Simulated figures: {interval}; negative = smaller than {comparison.baseline}. "
        f"{comparison.events} events in all."
    )


def _percent(fraction: float) -> str:
    return "0.0" if abs(fraction) < _SAME else f"{100 * fraction:+.1f}"


def _value(value: float | None) -> str:
    return "-" if value is None else number(value)
