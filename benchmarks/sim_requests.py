"""Requests as schbench makes them: a sweep for a policy with less P99 and more throughput, the best over 30 seeds.

Closed loops of workers on eight equal CPUs and on four fast and four slow ones. The room for throughput is what the
machine could do by its CPUs' speeds, divided by what EEVDF does. ``python benchmarks/sim_requests.py``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from simulating import ROOT, SEEDS, Trial, compared, factor, figure_of, machine_of, table

from schedops.model.machine import FULL_CAPACITY
from schedops.model.workload import Workload
from schedops.model.workload_kinds import RequestsModel
from schedops.repository import load_workload

MACHINES: tuple[int | str, ...] = (8, "laptop-4-4")
WORKERS_PER_CPU = (0.5, 1.0, 2.0, 4.0)
WORK_US = (1000, 5000, 20000)
THINK_US = (100, 10000)
SIGMAS = (0.2, 1.0)
POLICIES: tuple[tuple[str, Mapping[str, int]], ...] = (
    *(("fifo", {"slice_us": slice_us}) for slice_us in (500, 5000, 20000)),
    *(("weighted-vtime", {"slice_us": slice_us}) for slice_us in (500, 5000, 20000)),
    *(("interactive", {"slice_us": slice_us}) for slice_us in (500, 5000, 20000)),
    ("interactive", {"boost_us": 1000, "max_boost_us": 100000}),
    *(("warm-cores", {"slice_us": slice_us}) for slice_us in (500, 5000, 20000)),
)
LATENCY, RATE = 2.11, 1.60  # as published
SATURATED = 0.95


@dataclass(frozen=True, slots=True)
class Point:
    """How much better in the sweep: factors of P99 and of requests a second."""

    trial: Trial
    latency: float
    rate: float
    utilisation: float


def main() -> None:
    points = [point for machine in MACHINES for point in _sweep(machine)]
    rows = []
    for machine in MACHINES:
        here = [point for point in points if point.trial.machine == machine]
        full = [point for point in here if point.utilisation >= SATURATED]
        rows += [
            ("least P99, saturated", max(full, key=lambda point: point.latency)),
            ("most requests, saturated", max(full, key=lambda point: point.rate)),
            ("nearest to both, saturated", max(full, key=_both)),
            ("most requests, any load", max(here, key=lambda point: point.rate)),
            ("nearest to both, any load", max(here, key=_both)),
        ]
    print(f"{len(points)} points; the best of each over {len(SEEDS)} seeds:\n")
    header = ("sought", "machine", "workers/CPU", "work, think, sigma", "policy", "P99 lower", "requests more", "room")
    table((*header, "busy"), (_line(what, point.trial) for what, point in rows))


def _both(point: Point) -> float:
    return min(point.latency / LATENCY, point.rate / RATE)


def _sweep(machine: int | str) -> Iterator[Point]:
    for workers, work, think, sigma in product(WORKERS_PER_CPU, WORK_US, THINK_US, SIGMAS):
        workload = _workload(workers, work, think, sigma)
        for policy, params in POLICIES:
            trial = Trial(workload=workload, machine=machine, policy=policy, params=params, seeds=(1, 2))
            found = compared(trial)
            latency, rate, busy = (
                figure_of(found, name) for name in ("request_p99_us", "requests_per_s", "utilisation")
            )
            yield Point(trial, 1 / (1 + (latency.estimate or 0.0)), 1 + (rate.estimate or 0.0), busy.baseline or 0.0)


def _workload(workers: float, work_us: float, think_us: float, sigma: float) -> Workload:
    found = load_workload(ROOT, "web-requests")
    assert found.requests is not None
    model = replace(
        found.requests,
        workers_per_cpu=workers,
        work_us=work_us,
        think_us=think_us,
        work_sigma=sigma,
        duration_ms=1000,
    )
    return replace(found, requests=model)


def _line(what: str, sweep: Trial) -> list[str]:
    trial = replace(sweep, seeds=SEEDS)
    found = compared(trial)
    assert isinstance(trial.workload, Workload)
    model = trial.workload.requests
    assert model is not None
    rate = figure_of(found, "requests_per_s")
    more = [1 + (value or 0.0) for value in (rate.estimate, rate.low, rate.high)]
    room = _most_per_s(trial, model)
    busy = figure_of(found, "utilisation").baseline or 0.0
    return [
        what,
        str(trial.machine),
        f"{model.workers_per_cpu:g}",
        f"{model.work_us / 1000:g} ms, {model.think_us / 1000:g} ms, {model.work_sigma:g}",
        f"{trial.policy} {' '.join(f'{key}={value}' for key, value in trial.params.items())}",
        factor(figure_of(found, "request_p99_us")),
        f"{more[0]:.2f}x [{more[1]:.2f}, {more[2]:.2f}]",
        f"{room / (rate.baseline or 1.0):.2f}x",
        f"{busy:.2f}",
    ]


def _most_per_s(trial: Trial, model: RequestsModel) -> float:
    # The fastest CPUs busy without a break, or every worker without a wait.
    cpus = sorted((cpu.capacity / FULL_CAPACITY for cpu in machine_of(trial.machine).cpus), reverse=True)
    workers = max(model.workers, round(model.workers_per_cpu * len(cpus)))
    return min(sum(cpus[:workers]) / model.work_us, workers / (model.work_us + model.think_us)) * 1e6


if __name__ == "__main__":
    main()
