"""A suite's results as if they had been run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from schedops.model.environment import Environment
from schedops.model.measurements import MetricValue
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.suite import SuiteCell, SuiteGround, SuiteResults, SuiteScheduler, SuiteWorkload
from schedops.model.workload import Objective, Slo
from schedops.schema.canonical import digest_of
from schedops.suite.cells import Place, places, with_cells
from tests.fakes.guest import HOST_FACTS

LATENCY = Objective(metric="request_p99_us", unit="us", direction="lower", min_effect=0.05)
THROUGHPUT = Objective(metric="requests_per_s", unit="1/s", direction="higher", min_effect=0.05)
DONE = SimEnd(verdict=SimVerdict.DONE)


def slo(bound: float, *, hard: bool = True, metric: str = "request_p99_us", direction: str = "lower") -> Slo:
    return Slo(metric=metric, unit="us", direction=direction, bound=bound, hard=hard)


def workload(
    name: str, *slos: Slo, objectives: tuple[Objective, ...] = (LATENCY,), hidden: bool = False
) -> SuiteWorkload:
    return SuiteWorkload(name=name, sha256=f"{len(name):064x}", objectives=objectives, slos=slos, hidden=hidden)


def head(*workloads: SuiteWorkload, policies: tuple[str, ...] = ("mine",), seeds: int = 6) -> SuiteResults:
    schedulers = [SuiteScheduler(label="eevdf", arm="eevdf", sha256="0" * 64)]
    schedulers += [
        SuiteScheduler(label=name, arm="candidate", sha256=f"{at + 1:064x}", track="T2")
        for at, name in enumerate(policies)
    ]
    return SuiteResults(
        rung="simulated",
        tool_sha256="a" * 64,
        machine="flat-4",
        machine_sha256="b" * 64,
        cpus=4,
        scale=1.0,
        cold=False,
        seeds=tuple(range(1, seeds + 1)),
        schedulers=tuple(schedulers),
        workloads=workloads,
    )


Values = Callable[[Place], dict[str, float] | SimEnd | None]


def filled(empty: SuiteResults, values: Values) -> SuiteResults:
    """:param values: of a place its metrics, or how the run ended when it is not done, or None: it was not run."""
    found = {place.key: _cell(place, values(place)) for place in places(empty)}
    return with_cells(empty, {key: cell for key, cell in found.items() if cell is not None})


def _cell(place: Place, value: dict[str, float] | SimEnd | None) -> SuiteCell | None:
    if value is None:
        return None
    cell = SuiteCell(
        key=place.key, workload=place.workload.name, scheduler=place.scheduler.label, seed=place.seed, end=DONE
    )
    if isinstance(value, SimEnd):
        return replace(cell, end=value)
    metrics = tuple(MetricValue(metric=name, unit="us", value=number) for name, number in value.items())
    return replace(cell, metrics=metrics)


def ground(*, governor: str = "performance", programs: tuple[str, ...] = ()) -> SuiteGround:
    host = replace(HOST_FACTS, governor=governor)
    environment = Environment(kernel="6.18", cpus=4, accelerator="kvm", qemu="10.0", host=host)
    return SuiteGround(environment=environment, programs=programs)


def measured(results: SuiteResults, where: Callable[[SuiteCell], SuiteGround]) -> SuiteResults:
    """Simulated results as if they had been measured, each cell on its ground."""
    head = replace(results, rung="micro-vm", cells=(), grounds=())
    grounds = {digest_of(one): one for one in map(where, results.cells)}
    cells = {cell.key: replace(cell, ground=digest_of(where(cell))) for cell in results.cells}
    return with_cells(head, cells, grounds)
