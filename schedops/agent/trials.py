"""Candidates are tried on training seeds, one step after the other; those clearly behind are dropped early."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from schedops.agent.lab import DEFAULT_SCHEDULER, SETTINGS_ALONE, Candidate, Lab, Reading
from schedops.agent.value import Metrics, Value, value_of
from schedops.model.search import SearchTrial
from schedops.model.workload import Workload

STEPS = (2, 4, 8)  # training seeds after which a candidate may be dropped; the last are all of them
BEHIND = 0.05  # as ln: so far behind the best on the same seeds, and it is dropped
SAME = 0.003  # as ln: nobody can tell these apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a search may use and spend.

    :param trials: candidates at most, those it begins with included; *seconds*: 0: as long as that takes.
    :param sampler: tpe | random.
    """

    workload: Workload
    machine: str
    machine_sha256: str
    workload_sha256: str
    cpus: int
    scale: float
    seed: int
    trials: int
    seconds: float
    sampler: str
    training_seeds: tuple[int, ...]
    fresh_seeds: tuple[int, ...]


Told = Callable[[int, str], None]  # how many were tried, and what to say


@dataclass(slots=True)
class Tried:
    """A trial with what it needs to be judged again."""

    candidate: Candidate
    trial: SearchTrial
    values: list[float] = field(default_factory=list)  # after each step


@dataclass(slots=True)
class Bench:
    """Tries candidates and remembers them."""

    terms: Terms
    lab: Lab
    told: Told
    tried: list[Tried] = field(default_factory=list)
    known: dict[str, Tried] = field(default_factory=dict)
    base: list[Metrics] = field(default_factory=list)
    informed: list[Metrics] = field(default_factory=list)
    reserve: int = 0  # trials that are kept for the end

    def left(self) -> int:
        """How many more may be tried; 0 when the time is over."""
        return 0 if self.late() else self.terms.trials - self.reserve - len(self.tried)

    def late(self) -> bool:
        """The time is over."""
        return bool(self.terms.seconds) and self.lab.seconds() >= self.terms.seconds

    def start(self) -> str:
        """Run the default scheduler and the informed one on the training seeds; why that did not work, or nothing."""
        seeds = self.terms.training_seeds
        readings = self.lab.run([(one, seed) for one in (DEFAULT_SCHEDULER, SETTINGS_ALONE) for seed in seeds])
        metrics = [one.metrics for one in readings if one.metrics is not None]
        if len(metrics) == len(readings):
            self.base, self.informed = metrics[: len(seeds)], metrics[len(seeds) :]
        return next((one.why for one in readings if one.metrics is None), "")

    def try_all(self, wanted: Sequence[tuple[Candidate, str]]) -> None:
        """Try what was not tried before.

        :param wanted: (candidate, origin).
        """
        fresh = {one.label: (one, origin) for one, origin in wanted if one.label not in self.known}
        batch = []
        for candidate, origin in list(fresh.values())[: max(0, self.left())]:
            trial = SearchTrial(
                number=len(self.tried),
                candidate=candidate.name,
                params=candidate.params,
                recipe=candidate.recipe,
                origin=origin,
                state="complete",
                seeds=0,
            )
            one = Tried(candidate, trial)
            self.tried.append(one)
            self.known[candidate.label] = one
            batch.append(one)
        self._run(batch)

    def best(self) -> Tried | None:
        """The best policy that got through all seeds; settings are none."""
        done = [one for one in self.tried if one.trial.state == "complete" and one.candidate.source is not None]
        return min(done, key=lambda one: (one.values[-1], one.trial.number), default=None)

    def _run(self, batch: list[Tried]) -> None:
        alive = list(batch)
        metrics: dict[int, list[Reading]] = {one.trial.number: [] for one in batch}
        before = 0
        for step, seeds in enumerate(_steps(self.terms)):
            asked = [(one, seed) for one in alive for seed in self.terms.training_seeds[before:seeds]]
            for (one, _), reading in zip(
                asked, self.lab.run([(one.candidate, seed) for one, seed in asked]), strict=True
            ):
                metrics[one.trial.number].append(reading)
            for one in alive:
                self._judge(one, metrics[one.trial.number], seeds)
            leader = self.best_at(step)
            for one in alive:
                if seeds < len(self.base) and self._is_behind(one, step, leader):
                    one.trial = replace(one.trial, state="pruned")
            alive = [one for one in alive if one.trial.state == "complete"]
            before = seeds
        self.told(len(self.tried), self._words())

    def _is_behind(self, one: Tried, step: int, leader: float) -> bool:
        # Settings are run on all seeds anyway: whoever is compared with them needs that.
        running = one.trial.state == "complete" and one.candidate.source is not None
        return running and one.values[step] > leader + BEHIND

    def as_good(self, candidate: Candidate, best: Tried) -> bool:
        """It got through all seeds and is not worth mentioning worse."""
        one = self.known.get(candidate.label)
        return one is not None and one.trial.state == "complete" and one.values[-1] <= best.values[-1] + SAME

    def best_at(self, step: int) -> float:
        """The smallest value that a policy which was not dropped has after a step."""
        alive = [one for one in self.tried if one.trial.state == "complete" and one.candidate.source is not None]
        there = [one.values[step] for one in alive if len(one.values) > step]
        return min(there, default=math.inf)

    def _judge(self, one: Tried, readings: Sequence[Reading], seeds: int) -> None:
        failed = next((reading for reading in readings if reading.metrics is None), None)
        if failed is not None:
            one.trial = replace(one.trial, state="failed", seeds=len(readings), note=failed.why[:1000], value=None)
            return
        new = [reading.metrics for reading in readings if reading.metrics is not None]
        found = value_of(self.terms.workload, self.base[:seeds], self.informed[:seeds], new)
        if found.value is None:
            note = "a run has no figure for an objective"
            one.trial = replace(one.trial, state="failed", seeds=seeds, note=note, value=None)
            return
        one.values.append(found.value)
        one.trial = _with(one.trial, found, seeds)

    def _words(self) -> str:
        best = self.best()
        if best is None:
            return f"{len(self.tried)} tried"
        return f"{len(self.tried)} tried, best {best.candidate.name} {math.expm1(best.values[-1]):+.1%}"


def _steps(terms: Terms) -> list[int]:
    whole = len(terms.training_seeds)
    return [*(step for step in STEPS if step < whole), whole]


def _with(trial: SearchTrial, found: Value, seeds: int) -> SearchTrial:
    value = None if found.value is None else round(found.value, 6)
    return replace(trial, seeds=seeds, value=value, broken=round(found.broken, 6), figures=found.figures)
