"""Two CPUs: what the simulator says, beside what real kernels showed in a micro-VM; 30 seeds against 10 rounds.

The measured policies were simpler ones of the same kind (Linux 6.18.15 for the batch, 7.3.4 for the builds, QEMU by
emulation), on jobs of the same make. ``python benchmarks/sim_measured.py``
"""

from __future__ import annotations

from dataclasses import replace

from simulating import ROOT, Trial, compared, figure_of, percent, table

from schedops.model.workload import Workload
from schedops.repository import load_workload

WITHIN = 0.05
MAKESPAN, COMPLETION, SLOWEST = "makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor"
BUILD, ALL_DONE = "mean_build_time_per_floor", "all_done_per_floor"
# Against EEVDF, on a quiet host and beside two busy processes; builds: two runs.
LONG_FIRST = {MAKESPAN: (-0.204, -0.196), COMPLETION: (-0.091, -0.162), SLOWEST: (0.42,)}
NICE = {MAKESPAN: (-0.208, -0.212), COMPLETION: (0.328, 0.286), SLOWEST: (0.36,)}
IN_ORDER = {BUILD: (-0.247, -0.249), ALL_DONE: (0.037, 0.040)}
IN_ORDER_BY_CGROUPS = {BUILD: (-0.213, -0.228), ALL_DONE: (0.028, 0.032)}


def main() -> None:
    jobs, builds = _batch(), _builds()
    policy = Trial(workload=jobs, machine=2, policy="long-first", hint_error=0.01)
    order = Trial(workload=builds, machine=2, policy="build-order", cold=True)
    rows = (
        ("long first against EEVDF", policy, LONG_FIRST),
        ("long first against nice by hints", replace(policy, baseline="informed"), {}),
        ("builds in order against EEVDF", order, IN_ORDER),
        ("builds in order against a cgroup each", replace(order, baseline="informed"), IN_ORDER_BY_CGROUPS),
    )
    lines = []
    for what, trial, measured in rows:
        found = compared(trial)
        for metric in measured or LONG_FIRST:
            simulated = figure_of(found, metric)
            real = measured.get(metric) or tuple(
                (1 + a) / (1 + b) - 1 for a, b in zip(LONG_FIRST[metric], NICE[metric], strict=True)
            )
            off = min(abs((simulated.estimate or 0.0) - one) for one in real)
            shown = ", ".join(f"{100 * one:+.1f}" for one in real)
            lines.append(
                [what, metric, percent(simulated), f"{shown} %", f"{100 * off:.1f}", "yes" if off <= WITHIN else "no"]
            )
    table(("what", "metric", "simulated", "measured", "nearest, points off", "within 5"), lines)


def _batch() -> Workload:
    # Lengths were uniform within 15 % of their mean, hints were exact.
    found = load_workload(ROOT, "uneven-batch")
    assert found.batch is not None
    return replace(found, batch=replace(found.batch, length_sigma=0.087))


def _builds() -> Workload:
    # Log-normal factors there had a mean of 1.13, and lengths were drawn once.
    found = load_workload(ROOT, "ci-builds")
    assert found.builds is not None
    model = replace(
        found.builds,
        job_work=22_660_000,
        link_factor=1.765,
        long_test_factor=5.3,
        length_sigma=0.0,
        arrival_gap_ms=300,
    )
    return replace(found, builds=model)


if __name__ == "__main__":
    main()
