"""build-order and long-first in the simulator, held to their bars; 30 seeds, exact 95 % intervals, paired by seed.

python benchmarks/sim_bars.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulating import Trial, compared, figure_of, percent, table

BUILD, ALL_DONE, SLOWDOWN = "mean_build_time_per_floor", "all_done_per_floor", "worst_slowdown"
MAKESPAN, COMPLETION, SLOWEST = "makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor"
FEW = {"slice_us": 1000}
REMAINING = {"remaining_first": 1}


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
    Row(builds(), {BUILD: None, ALL_DONE: 0.09, SLOWDOWN: None}),
    Row(builds(**FEW), {BUILD: -0.22, ALL_DONE: 0.09, SLOWDOWN: None}),
    Row(builds(baseline="informed", **FEW), {BUILD: -0.16}),
    Row(replace(builds(baseline="informed", **FEW), cold=True), {BUILD: -0.16}),
    Row(builds(**REMAINING), {BUILD: None, ALL_DONE: 0.09, SLOWDOWN: 0.0}),
    Row(builds(**REMAINING, **FEW), {BUILD: -0.27, ALL_DONE: 0.09, SLOWDOWN: 0.0}),
    Row(builds(baseline="informed", **REMAINING, **FEW), {BUILD: -0.16}),
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
    print(f"\nmissed: {len(missed)}" + "".join(f"\n- {one}" for one in missed))
    return 1 if missed else 0


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
