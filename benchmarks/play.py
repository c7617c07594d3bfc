"""A workload on a real kernel in a micro-VM and in the simulator, from the same plan: the metrics of both.

``python benchmarks/play.py WORKLOAD [--kernel 7.3] [--cpus 2] [--policy NAME] [--seed 1] [--scale 1] [--times 1]``
"""

from __future__ import annotations

import argparse
import sys
from statistics import fmean

from measuring import show
from simulating import ROOT, Quiet, scheduler_of, simulator

from schedops.bench.design import derived_seed
from schedops.errors import SchedopsError
from schedops.model.guest import PlayReading
from schedops.model.machine import flat_machine
from schedops.model.simulation import SimResult, SimVerdict
from schedops.model.verification import BuiltObject
from schedops.model.workload import JOB_KINDS
from schedops.pipeline.kernels import bench_kernel
from schedops.ports import KernelImage, SimScheduler, World
from schedops.repository import load_workload
from schedops.sim.programs.hints import model_hints
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import Planned, planned
from schedops.wiring import world

DEADLINE_S = 300.0


def main() -> None:
    asked = _options().parse_args()
    joined = world(Quiet())
    image = bench_kernel(asked.kernel, (), joined.kernels)
    scheduler = scheduler_of(asked.policy, {})
    run = _planned(asked, scheduler)
    readings = [_played(joined, image, run, scheduler, number) for number in range(asked.times)]
    simulated = simulator().run(run.plan, run.machine, scheduler, trace=False)
    if simulated.end.verdict != SimVerdict.DONE:
        raise SystemExit(f"the simulation: {simulated.end}")
    _show(run, [_metrics(run, reading.result) for reading in readings], _metrics(run, simulated), readings)


def _metrics(run: Planned, result: SimResult) -> dict[str, tuple[str, float]]:
    """Metric -> (unit, value)."""
    return {found.metric: (found.unit, found.value) for found in metrics_of_result(run, result)}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload")
    parser.add_argument("--kernel", help="default: the newest of the store")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--policy", default="eevdf", help="of the library; default: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--times", type=int, default=1)
    return parser


def _planned(asked: argparse.Namespace, scheduler: SimScheduler) -> Planned:
    workload, machine = load_workload(ROOT, asked.workload), flat_machine(asked.cpus)
    if scheduler.source is None:
        return planned(workload, machine=machine, seed=asked.seed, scale=asked.scale, arm="eevdf")
    declared, jobs = scheduler.source.policy.capabilities, workload.model_kind in JOB_KINDS
    earlier = derived_seed(asked.seed, "history")
    return planned(
        workload,
        machine=machine,
        seed=asked.seed,
        scale=asked.scale,
        takes_hints=declared.hints,
        takes_group_hints=declared.group_hints,
        hints=model_hints(workload, seed=earlier, cpus=asked.cpus, scale=asked.scale) if jobs else None,
    )


def _played(joined: World, image: KernelImage, run: Planned, scheduler: SimScheduler, number: int) -> PlayReading:
    with joined.machines.boot(image, cpus=len(run.machine.cpus)) as guest:
        if scheduler.source is not None:
            built = joined.toolchain.build(scheduler.source, scheduler.params, image)
            if not isinstance(built, BuiltObject):
                raise SystemExit(f"{scheduler.name} does not compile: {built}")
            attached = guest.attach(built.elf, deadline_s=60)
            if attached.outcome != "attached":
                raise SystemExit(f"{scheduler.name} is not attached: {attached.outcome}\n{attached.log}")
        reading = guest.play(run.plan, name_seed=run.seed * 1000 + number, deadline_s=DEADLINE_S)
    print(
        f"# play {number + 1}: {reading.result.end.verdict}, {reading.wall_ns / 1e9:.2f} s,"
        f" {reading.cpu_ns / 1e9:.2f} s of CPU time, {reading.ns_per_1000} ns for 1000 iterations,"
        f" {reading.context_switches} switches, {reading.hints_accepted} hints, clean: {reading.clean}",
        file=sys.stderr,
    )
    if reading.result.end.verdict != SimVerdict.DONE:
        raise SystemExit(f"the play: {reading.result.end}")
    return reading


def _show(
    run: Planned,
    played: list[dict[str, tuple[str, float]]],
    simulated: dict[str, tuple[str, float]],
    readings: list[PlayReading],
) -> None:
    rows, data = [], {}
    for name in simulated:
        values = [found[name][1] for found in played if name in found]
        mean = f"{fmean(values):.3f}" if values else "-"
        spread = f"{min(values):.3f} .. {max(values):.3f}" if len(values) > 1 else ""
        rows.append((name, simulated[name][0], mean, spread, f"{simulated[name][1]:.3f}"))
        data[name] = {"played": values, "simulated": simulated[name][1]}
    shown = {"workload": run.workload.name, "cpus": len(run.machine.cpus), "seed": run.seed, "metrics": data}
    show(("metric", "unit", "played", "range", "simulated"), rows, {**shown, "wall_ns": [r.wall_ns for r in readings]})


if __name__ == "__main__":
    try:
        main()
    except SchedopsError as error:
        raise SystemExit(f"{error.message}: {error.where}") from None
