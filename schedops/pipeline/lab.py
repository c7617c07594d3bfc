"""The laboratory of the planner: candidates become cells of a suite and run where those run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from schedops.agent.lab import SETTINGS_ALONE, Candidate, Reading
from schedops.agent.planner import Workbench
from schedops.agent.trials import STEPS, Terms
from schedops.bench.design import derived_seed
from schedops.model.event import Event
from schedops.model.simulation import SimVerdict
from schedops.model.suite import SuiteCell
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import CellWork, Entrant, Hands
from schedops.ports import Clock, Progress, SimScheduler
from schedops.schema.canonical import digest_of

FRESH = 10  # seeds of the confirmation; six give an interval
_ENOUGH = 8  # tried before there is an estimate: the first ones wait for the compiler


@dataclass(slots=True)
class SuiteLab:
    """Implements ``Lab``; equal questions are asked once."""

    load: Load
    hands: Hands
    clock: Clock
    _known: dict[str, Reading] = field(default_factory=dict)
    _began_s: float | None = None

    def run(self, asked: Sequence[tuple[Candidate, int]]) -> list[Reading]:
        """See the protocol."""
        self.seconds()
        keys = [f"{candidate.label}/{seed}" for candidate, seed in asked]
        wanted = {key: one for key, one in zip(keys, asked, strict=True) if key not in self._known}
        lock = Lock()

        def done(cell: SuiteCell) -> None:
            with lock:
                self._known[cell.key] = _reading(cell)

        self.hands.run([self._work(key, *one) for key, one in wanted.items()], done)
        return [self._known[key] for key in keys]

    def runs(self) -> int:
        """See the protocol."""
        return len(self._known)

    def seconds(self) -> float:
        """Since the first run was asked for."""
        now_s = self.clock.monotonic_s()
        if self._began_s is None:
            self._began_s = now_s
        return now_s - self._began_s

    def _work(self, key: str, candidate: Candidate, seed: int) -> CellWork:
        if candidate.source is None:
            arm = "informed" if candidate == SETTINGS_ALONE else "eevdf"
            entrant = Entrant(label=candidate.name, scheduler=SimScheduler("eevdf"), arm=arm)
        else:
            scheduler = SimScheduler(candidate.name, candidate.source, candidate.params)
            entrant = Entrant(label=candidate.name, scheduler=scheduler, arm="candidate")
        return CellWork(key=key, load=self.load, entrant=entrant, seed=seed)


def _reading(cell: SuiteCell) -> Reading:
    if cell.end.verdict != SimVerdict.DONE:
        return Reading(None, f"{cell.end.verdict}: {cell.end.message}".strip(": "))
    return Reading({one.metric: one.value for one in cell.metrics})


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a search may spend.

    :param trials: candidates at most.
    :param seconds: 0: as many as the trials take. With a limit another machine may try more or less.
    """

    trials: int
    seconds: float = 0.0


def workbench(
    load: Load,
    budget: Budget,
    *,
    seed: int,
    sampler: str,
    hands: Hands,
    clock: Clock,
    progress: Progress,
    stage: str,
) -> Workbench:
    """What a search needs, with the hands of the suite. Equal arguments give equal searches.

    :param stage: under which its progress is told.
    """
    lab = SuiteLab(load, hands, clock)

    def told(tried: int, words: str) -> None:
        share = tried / budget.trials
        left_s = lab.seconds() * (1 / share - 1) if tried >= _ENOUGH else None
        progress.emit(Event(kind="progress", stage=stage, text=words, fraction=min(1.0, share), remaining_s=left_s))

    terms = Terms(
        workload=load.workload,
        workload_sha256=digest_of(load.workload),
        machine=load.machine.name,
        machine_sha256=digest_of(load.machine),
        cpus=len(load.machine.cpus),
        scale=load.scale,
        seed=seed,
        trials=budget.trials,
        seconds=budget.seconds,
        sampler=sampler,
        training_seeds=tuple(derived_seed(seed, "training", at) for at in range(STEPS[-1])),
        fresh_seeds=tuple(derived_seed(seed, "fresh", at) for at in range(FRESH)),
    )
    return Workbench(lab=lab, terms=terms, told=told)
