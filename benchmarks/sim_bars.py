"""build-order and long-first in the simulator, held to their bars; 30 seeds, exact 95 % intervals, paired by seed.

python benchmarks/sim_bars.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulating import ROOT, Trial, compared, figure_of, percent, table

from schedops.repository import load_workload

BUILD, ALL_DONE, SLOWDOWN = "mean_build_time_per_floor", "all_done_per_floor", "worst_slowdown"
MAKESPAN, COMPLETION, SLOWEST = "makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor"
LOADS = ((4, 200), (8, 200), (8, 100), (8, 60), (8, 30))
BY_ARRIVAL = {"remaining_first": 0}


@dataclass(frozen=True, slots=True)
class Row:
    """:param bars: metric -> the change that is allowed at most; None: reported only."""

    trial: Trial
    bars: Mapping[str, float | None]
    floor: float | None = None  # the policy's median makespan by the floor, at most


def builds(cpus: int = 8, baseline: str = "eevdf", workload: str = "busy-builds", **params: int) -> Trial:
    return Trial(workload=workload, machine=cpus, policy="build-order", baseline=baseline, params=params)


def batch(cpus: int = 8, baseline: str = "eevdf", *, error: float | None = None, cold: bool = False) -> Trial:
    return Trial(
        workload="uneven-batch", machine=cpus, policy="long-first", baseline=baseline, hint_error=error, cold=cold
    )


ROWS = (
    Row(builds(), {BUILD: -0.27, ALL_DONE: 0.09, SLOWDOWN: 0.0}),
    Row(builds(baseline="informed"), {BUILD: -0.16}),
    Row(replace(builds(), cold=True), {BUILD: -0.22, ALL_DONE: 0.09, SLOWDOWN: None}),
    Row(replace(builds(baseline="informed"), cold=True), {BUILD: -0.16}),
    Row(builds(**BY_ARRIVAL), {BUILD: -0.22, ALL_DONE: 0.09, SLOWDOWN: None}),
    Row(builds(baseline="informed", **BY_ARRIVAL), {BUILD: None}),
    Row(builds(workload="ci-builds"), {BUILD: None, ALL_DONE: 0.09}),
    Row(builds(2, workload="ci-builds"), {BUILD: None, ALL_DONE: None}),
    Row(builds(2, "informed", workload="ci-builds"), {BUILD: None}),
    Row(batch(error=0.15), {MAKESPAN: -0.28, COMPLETION: -0.20, SLOWEST: None}, floor=1.05),
    Row(batch(error=0.40), {MAKESPAN: -0.20, COMPLETION: -0.20, SLOWEST: None}),
    Row(batch(cold=True), {MAKESPAN: 0.03, COMPLETION: 0.03}),
    Row(batch(baseline="informed", error=0.15), {MAKESPAN: None, COMPLETION: None}),
    Row(batch(2), {MAKESPAN: None, COMPLETION: None, SLOWEST: None}),
    Row(batch(2, cold=True), {MAKESPAN: 0.03, COMPLETION: 0.03}),
)


def main() -> int:
    missed: list[str] = []
    header = ("workload", "CPUs", "policy", "against", "metric", "change", "bar", "met")
    table(header, (line for row in ROWS for line in _lines(row, missed)))
    print("\nWhat the load does to build-order, eight builds on 8 CPUs:\n")
    table(
        ("-j", "mean gap, ms", "busy CPUs", "against EEVDF", "against informed", "by arrival against EEVDF"),
        _loads(),
    )
    print(f"\nmissed: {len(missed)}" + "".join(f"\n- {one}" for one in missed))
    return 1 if missed else 0


def _loads() -> Iterator[list[str]]:
    busy = load_workload(ROOT, "busy-builds")
    assert busy.builds is not None
    for parallel, gap_ms in LOADS:
        model = replace(busy.builds, parallel_jobs=parallel, arrival_gap_ms=gap_ms)
        first = replace(builds(), workload=replace(busy, builds=model))
        found = [compared(first), compared(replace(first, baseline="informed"))]
        found.append(compared(replace(first, params=BY_ARRIVAL)))
        used = figure_of(found[0], "utilisation").baseline or 0.0
        yield [str(parallel), str(gap_ms), f"{100 * used:.0f} %", *(percent(figure_of(one, BUILD)) for one in found)]


def _lines(row: Row, missed: list[str]) -> Iterator[list[str]]:
    trial = row.trial
    found = compared(trial)
    params = " ".join(f"{key}={value}" for key, value in trial.params.items())
    known = "no hints" if trial.cold else f"hints off by {trial.hint_error:.0%}" if trial.hint_error else ""
    what = [found.workload, str(trial.machine), ", ".join(filter(None, (trial.policy, params, known))), trial.baseline]
    for metric, bar in row.bars.items():
        change = figure_of(found, metric)
        met = None if bar is None else change.estimate is not None and change.estimate <= bar
        yield _line([*what, metric, percent(change), "" if bar is None else f"{100 * bar:+.0f} %"], met, missed)
    if row.floor is not None:
        value = figure_of(found, MAKESPAN).policy or 0.0
        met = value <= row.floor
        yield _line([*what, MAKESPAN, f"{value:.3f} x floor", f"{row.floor:.2f}"], met, missed)


def _line(cells: list[str], met: bool | None, missed: list[str]) -> list[str]:  # noqa: FBT001 - a cell of the table
    if met is False:
        missed.append(", ".join(cells))
    return [*cells, {True: "yes", False: "no", None: ""}[met]]


if __name__ == "__main__":
    sys.exit(main())
