"""A suite's score as people read it: what each workload gave each policy, and why some gave nothing."""

from __future__ import annotations

from collections.abc import Iterator

from schedops.model.rung import SIMULATED, WORDS
from schedops.model.suite import (
    Improvement,
    SchedulerScore,
    SloJudgement,
    SuiteResults,
    SuiteScore,
    WorkloadScore,
)
from schedops.report.profile_page import number
from schedops.report.progress import visible
from schedops.report.table import paragraph, table

_WIDTH = 200  # numbers wrap badly
_MAX_WHY = 160


def score_page(results: SuiteResults, score: SuiteScore) -> str:
    """The workloads as rows and the policies as columns, the sums, and what is missing or missed."""
    base, others = score.schedulers[0], score.schedulers[1:]
    shown = others or (base,)
    parts = [paragraph(where(results)), _workloads(results, base, shown), _sums(score)]
    notes = [*_no_results(shown), *_missed(shown), *_repeated(results)]
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join([*parts, paragraph(_reading(score))])


def where(results: SuiteResults) -> str:
    """On what it ran, and that nothing was measured when nothing was."""
    first, count = results.seeds[0], len(results.seeds)
    seeds = f"seed {first}" if count == 1 else f"{count} seeds from {first} on"
    on = "machine" if results.rung == SIMULATED else "kernel"
    emulators = sorted({one.environment.accelerator for one in results.grounds} - {"none"})
    by = f", {visible(' and '.join(emulators))}" if emulators else ""
    scale = f", scale {results.scale:g}" if results.scale != 1 else ""
    cold = ", without hints" if results.cold else ""
    return (
        f"{WORDS[results.rung]}; {on} {visible(results.machine)}, {results.cpus} CPUs{by}, {seeds}{scale}{cold}; "
        f"baseline {visible(results.schedulers[0].label)}"
    )


def _workloads(results: SuiteResults, base: SchedulerScore, shown: tuple[SchedulerScore, ...]) -> str:
    header = ("WORKLOAD", "OBJECTIVE", "UNIT", visible(base.scheduler), *(visible(one.scheduler) for one in shown))
    rows: list[tuple[str, ...]] = []
    for at, workload in enumerate(results.workloads):
        name = f"{workload.name} (hidden)" if workload.hidden else workload.name
        for place, objective in enumerate(workload.objectives):
            cells = [_factor(one.workloads[at], place) for one in shown]
            middle = _improvement(base.workloads[at], place)
            median = "-" if middle is None or middle.baseline is None else number(middle.baseline)
            rows.append((name if place == 0 else "", objective.metric, objective.unit, median, *cells))
    return table(header, rows, width=_WIDTH)


def _factor(scored: WorkloadScore, place: int) -> str:
    one = _improvement(scored, place)
    if scored.points is None or one is None or one.factor is None:
        return "no result"
    interval = "" if one.low is None or one.high is None else f" [{one.low:.2f}, {one.high:.2f}]"
    nothing = "" if all(slo.met for slo in scored.slos if slo.slo.hard) else ", SLO missed: 0"
    return f"{one.factor:.2f}{interval}{nothing}"


def _improvement(scored: WorkloadScore, place: int) -> Improvement | None:
    return scored.improvements[place] if scored.improvements else None


def _sums(score: SuiteScore) -> str:
    header = ("POLICY", "TRACK", "WORKLOADS", "HARD SLOS MISSED", "POINTS", "BUDGET OVERUSE", "SCORE")
    return table(header, [_sum(one) for one in score.schedulers], width=_WIDTH)


def _sum(one: SchedulerScore) -> tuple[str, ...]:
    missed = sum(slo.slo.hard and slo.met is False for scored in one.workloads for slo in scored.slos)
    budget = "-" if one.budget is None else "unknown" if one.penalty is None else f"-{one.penalty:.2f}"
    total = "no result" if one.score is None or not one.counted else f"{one.score:.2f}"
    if one.counted < len(one.workloads) and total != "no result":
        total += ", incomplete"
    counted = f"{one.counted} of {len(one.workloads)}"
    return (visible(one.scheduler), one.track or "-", counted, str(missed), f"{one.points:.2f}", budget, total)


def _no_results(shown: tuple[SchedulerScore, ...]) -> Iterator[str]:
    for one in shown:
        for scored in one.workloads:
            if scored.points is None:
                yield f"no result: {visible(one.scheduler)} on {scored.workload}: {_short(scored.why)}"


def _missed(shown: tuple[SchedulerScore, ...]) -> Iterator[str]:
    for one in shown:
        for scored in one.workloads:
            for slo in scored.slos:
                if slo.met is False:
                    yield _slo_words(visible(one.scheduler), scored.workload, slo)


def _repeated(results: SuiteResults) -> Iterator[str]:
    for cell in results.cells:
        for why in cell.invalid:
            who = f"{visible(cell.scheduler)} on {cell.workload}, seed {cell.seed}"
            yield f"repeated, for a run was not valid: {who}: {_short(why)}"


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _MAX_WHY else f"{shown[:_MAX_WHY]}..."


def _slo_words(scheduler: str, workload: str, judged: SloJudgement) -> str:
    slo, value = judged.slo, judged.value
    most = "at most" if slo.direction == "lower" else "at least"
    found = "-" if value is None else number(value)
    kind = "hard" if slo.hard else "soft"
    return f"{kind} SLO missed: {scheduler} on {workload}: {slo.metric} {found} {slo.unit}, {most} {slo.bound:g}"


def _reading(score: SuiteScore) -> str:
    return (
        f"Factors above 1 are better than the baseline, with their {100 * score.confidence:g} % interval where there "
        "are six seeds or more; a workload's points are their weighted mean, or 0 when a hard SLO is missed. A "
        f"workload without a result adds nothing and is none of those that count. Results {score.results_sha256[:19]}."
    )
