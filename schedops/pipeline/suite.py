"""A suite: policies, workloads and seeds to cells, each run once, and the results; cells in the simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

from schedops.errors import InputError
from schedops.model.event import Event
from schedops.model.machine import Machine
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.rung import SIMULATED
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.suite import (
    CONFIGURED,
    UNAVAILABLE,
    WRITTEN,
    SuiteCell,
    SuiteGround,
    SuiteResults,
    SuiteScheduler,
    SuiteWorkload,
)
from schedops.model.workload import Workload
from schedops.pipeline.simulation import Load, one_run
from schedops.pipeline.suite_meter import STAGE, Meter
from schedops.ports import Clock, Crew, Progress, SimScheduler, Simulator
from schedops.report.progress import duration
from schedops.schema.canonical import digest_of
from schedops.sim.programs.measure import metrics_of_result
from schedops.suite.cells import Place, Shard, fits, places, with_cells

_MAX_MESSAGE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """:param arm: eevdf | informed | candidate: how its jobs are launched."""

    label: str
    scheduler: SimScheduler
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where measured cells run. :param sha256: of a :class:`GuestSize`."""

    rung: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSize:
    """What a measured cell asks of where it runs; what else there is, is its ground."""

    vmlinux_sha256: str
    cpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSpec:
    """What is asked.

    :param tool_sha256: of this schedops: another one's cells are not ours.
    :param machine: that is simulated, or as many CPUs as the *site* has.
    :param site: None: the simulator.
    :param left_out: workloads that do not run there.
    :param entrants: the baseline first.
    :param hidden: names of the *workloads* that not everybody can read.
    :param shipped: policies that come with schedops; who has the code of one of them is in track T1.
    """

    tool_sha256: str
    machine: Machine
    entrants: tuple[Entrant, ...]
    workloads: tuple[Workload, ...]
    seeds: tuple[int, ...]
    hidden: frozenset[str] = frozenset()
    shipped: tuple[PolicySource, ...] = ()
    scale: float = 1.0
    cold: bool = False
    site: Site | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellWork:
    """Everything that one cell needs; a simulated one can be sent to another machine."""

    key: str
    load: Load
    entrant: Entrant
    seed: int


class Hands(Protocol):
    """Who runs cells."""

    def run(self, work: Sequence[CellWork], done: Callable[[SuiteCell], None]) -> None:
        """Every one of them, in any order; *done* is called with each as soon as it is over."""


class LocalHands:
    """The cores of this machine: threads, for the engine runs outside of Python's lock."""

    def __init__(self, simulator: Simulator, crew: Crew) -> None:
        self._simulator = simulator
        self._crew = crew

    def run(self, work: Sequence[CellWork], done: Callable[[SuiteCell], None]) -> None:
        """See the protocol."""
        self._crew.each(lambda one: done(run_cell(one, self._simulator)), work, at_once=self._crew.cores())


def head_of(spec: SuiteSpec) -> SuiteResults:
    """The results before anything was run. :raises InputError: ``twice``: two entrants or workloads of one name."""
    site = spec.site or Site(rung=SIMULATED, name=spec.machine.name, sha256=digest_of(spec.machine))
    try:
        return SuiteResults(
            rung=site.rung,
            tool_sha256=spec.tool_sha256,
            machine=site.name,
            machine_sha256=site.sha256,
            cpus=len(spec.machine.cpus),
            scale=spec.scale,
            cold=spec.cold,
            seeds=spec.seeds,
            schedulers=tuple(_scheduler(one, spec.shipped) for one in spec.entrants),
            workloads=tuple(
                SuiteWorkload(
                    name=one.name,
                    sha256=digest_of(one),
                    hidden=one.name in spec.hidden,
                    objectives=one.objectives,
                    slos=one.slos,
                )
                for one in spec.workloads
            ),
        )
    except ValueError as error:
        raise InputError("twice", str(error), hint="name each once, and --hidden workloads as no other") from None


def run_suite(
    spec: SuiteSpec,
    *,
    hands: Hands,
    clock: Clock,
    progress: Progress,
    shard: Shard | None = None,
    known: Mapping[str, SuiteCell] | None = None,
    grounds: Mapping[str, SuiteGround] | None = None,
    keep: Callable[[SuiteCell | SuiteGround], None] | None = None,
    expected_s: Mapping[str, float] | None = None,
) -> SuiteResults:
    """Run the cells that are not known yet.

    :param known: cells by key, of an earlier run; those that could not be run are run now.
    :param grounds: of measured cells, by digest; the *hands* add that of a cell before they are done with it.
    :param keep: called with each new cell as soon as it is over, one at a time, and with its ground before it.
    :param expected_s: of a measured cell, by workload, where it is known.
    :raises Unavailable: compiler or wasmtime is missing.
    """
    head = head_of(spec)
    wanted = places(head, shard)
    found = {place.key: known[place.key] for place in wanted if known and _is_known(known, place)}
    work = _work(spec, [place for place in wanted if place.key not in found])
    reused = f", {len(found)} of them known" if found else ""
    if known:
        other = len(known) - len(found)
        text = f"{len(found)} of {len(wanted)} cells are known" + (f", {other} are of other inputs" if other else "")
        progress.emit(Event(kind="note", stage=STAGE, text=text))
    what = f"{len(head.schedulers)} schedulers, {len(head.workloads)} workloads, {len(head.seeds)} seeds"
    counted = Counter(one.load.workload.name for one in work)
    meter, lock = Meter(counted, clock, progress, expected_s), Lock()
    about = f", at most about {duration(meter.expected_s)}" if work and expected_s else ""
    progress.emit(Event(kind="started", stage=STAGE, text=f"{what}: {len(wanted)} cells{reused}{about}"))
    if spec.left_out:
        text = f"left out, they are for the simulator or need sources: {', '.join(spec.left_out)}"
        progress.emit(Event(kind="note", stage=STAGE, text=text))
    kept = set(grounds or {})

    def done(cell: SuiteCell) -> None:
        with lock:
            found[cell.key] = cell
            if keep is not None:
                if grounds is not None and cell.ground and cell.ground not in kept:
                    kept.add(cell.ground)
                    keep(grounds[cell.ground])
                keep(cell)
            meter.step(cell)

    if work:
        hands.run(work, done)
    progress.emit(Event(kind="finished", stage=STAGE, text=f"{len(work)} cells", seconds=meter.seconds()))
    return with_cells(head, found, grounds)


def run_cell(work: CellWork, simulator: Simulator) -> SuiteCell:
    """One cell. What the policy does wrong is in its *end*, and so is a plan that cannot be made."""
    cell = SuiteCell(
        key=work.key,
        workload=work.load.workload.name,
        scheduler=work.entrant.label,
        seed=work.seed,
        end=SimEnd(verdict=SimVerdict.DONE),
    )
    try:
        run = one_run(work.load, work.entrant.scheduler, work.entrant.arm, work.seed, simulator=simulator)
    except InputError as error:
        return replace(cell, end=SimEnd(verdict=SimVerdict.PLAN_ERROR, message=error.message[:_MAX_MESSAGE]))
    end = run.result.end
    if end.verdict != SimVerdict.DONE:
        return replace(cell, end=replace(end, message=end.message[:_MAX_MESSAGE]))
    return replace(cell, metrics=metrics_of_result(run.planned, run.result))


def _is_known(known: Mapping[str, SuiteCell], place: Place) -> bool:
    cell = known.get(place.key)
    return cell is not None and fits(cell, place) and cell.end.verdict != UNAVAILABLE


def _work(spec: SuiteSpec, wanted: Sequence[Place]) -> list[CellWork]:
    loads = {
        one.name: Load(workload=one, machine=spec.machine, scale=spec.scale, cold=spec.cold) for one in spec.workloads
    }
    entrants = {one.label: one for one in spec.entrants}
    return [
        CellWork(
            key=place.key,
            load=loads[place.workload.name],
            entrant=entrants[place.scheduler.label],
            seed=place.seed,
        )
        for place in wanted
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    # Everything about a scheduler that its runs depend on. A built-in one is its name, a policy is its text.
    name: str
    source: PolicySource | None
    params: tuple[ParamValue, ...]
    custody: bool
    arm: str


def _scheduler(one: Entrant, shipped: Sequence[PolicySource]) -> SuiteScheduler:
    source, scheduler = one.scheduler.source, one.scheduler
    identity = _Identity(
        name=scheduler.name,
        source=None if source is None else replace(source, path=""),
        params=scheduler.params,
        custody=scheduler.custody,
        arm=one.arm,
    )
    return SuiteScheduler(
        label=one.label,
        arm=one.arm,
        sha256=digest_of(identity),
        track="" if source is None else _track(source, shipped),
        params=scheduler.params,
    )


def _track(source: PolicySource, shipped: Sequence[PolicySource]) -> str:
    code = (source.text, source.headers)
    return CONFIGURED if any((one.text, one.headers) == code for one in shipped) else WRITTEN
