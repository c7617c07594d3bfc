"""The search: candidates are tried on training seeds, losers dropped early, the winner confirmed on fresh ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from schedops.agent.confirm import Confirmed, confirmed
from schedops.agent.lab import DEFAULT_SCHEDULER, SETTINGS_ALONE, Candidate, Lab, Reading
from schedops.agent.sampler import OptunaSampler
from schedops.agent.space import PolicySpace, Space, values_of, with_values
from schedops.agent.value import Metrics, Value, value_of
from schedops.model.search import Search, SearchTrial
from schedops.model.workload import Workload

STEPS = (2, 4, 8)  # training seeds after which a candidate may be dropped; the last are all of them
BEHIND = 0.05  # as ln: so far behind the best on the same seeds, and it is dropped
AT_ONCE = 4  # drawn together; the same on every machine, or another machine would try others
FINALISTS = 2  # policies whose parameters are searched
SAME = 0.003  # as ln: nobody can tell these apart
SIMPLER = "simpler"
_REPEATS = 8  # draws in a row that were all tried before: there is nothing left


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
        """The smallest value that anybody who was not dropped has after a step."""
        there = [one.values[step] for one in self.tried if len(one.values) > step and one.trial.state == "complete"]
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


def search(terms: Terms, begins: Sequence[tuple[Candidate, str]], *, lab: Lab, told: Told) -> Search:
    """Race the policies with the values they come with, then search the values of the best.

    :param begins: (candidate, origin), best guess first: it stands unless something is clearly better on fresh seeds.
    """
    bench = Bench(terms, lab, told)
    why = bench.start()
    if why:
        return _nothing(bench, f"the default scheduler did not get through in the simulator: {why}")
    bench.try_all(((SETTINGS_ALONE, "settings"), begins[0]))
    for at in range(1, len(begins), AT_ONCE):
        bench.try_all(begins[at : at + AT_ONCE])
    best = bench.best()
    if best is None:
        first = bench.known.get(begins[0][0].label)
        note = first.trial.note if first is not None else "there was no time"
        return _nothing(bench, f"the simulator cannot say: {note}")
    finalists = _finalists(bench)
    bench.reserve = min(terms.trials // 4, max(len(values_of(one)) for one in finalists) + 1)
    ended = explore(bench, PolicySpace(finalists))
    bench.reserve = 0
    return _ended(bench, simplified(bench, begins), begins[0][0], ended)


def explore(bench: Bench, space: Space) -> str:
    """Draw candidates and try them until nothing is left of the budget or of the space; which of these it was."""
    sampler = OptunaSampler(space, kind=bench.terms.sampler, seed=bench.terms.seed)
    repeats = 0
    while bench.left() > 0 and repeats < _REPEATS:
        drawn = [sampler.ask() for _ in range(AT_ONCE)]
        before = len(bench.tried)
        bench.try_all([(candidate, "sampler") for _, candidate in drawn])
        for ticket, candidate in drawn:
            one = bench.known.get(candidate.label)
            values = one.values if one is not None else []
            sampler.tell(ticket, values, pruned=one is not None and one.trial.state == "pruned")
        repeats = repeats + 1 if len(bench.tried) == before else 0
    if repeats:
        return "space"
    return "time" if bench.late() else "trials"


def simplified(bench: Bench, begins: Sequence[tuple[Candidate, str]]) -> Tried:
    """The best one, with all values put back that bring nothing: each by itself, then those together."""
    best = bench.best()
    assert best is not None
    begin = next((one for one, _ in begins if one.name == best.candidate.name), None)
    if best.candidate.source is None or begin is None:
        return best
    source, found, before = best.candidate.source, values_of(best.candidate), values_of(begin)
    resets = {name: with_values(source, {**found, name: before[name]}) for name in found if found[name] != before[name]}
    bench.try_all([(one, SIMPLER) for one in resets.values()])
    idle = [name for name, one in resets.items() if bench.as_good(one, best)]
    simplest = with_values(source, {**found, **{name: before[name] for name in idle}})
    bench.try_all([(simplest, SIMPLER)])
    for candidate in (simplest, *(resets[name] for name in reversed(idle))):
        if bench.as_good(candidate, best):
            return bench.known[candidate.label]
    return best


def _finalists(bench: Bench) -> tuple[Candidate, ...]:
    done = [one for one in bench.tried if one.candidate.source is not None and one.values]
    ranked = sorted(done, key=lambda one: (one.trial.state != "complete", one.values[-1], one.trial.number))
    by_name = {one.candidate.name: one.candidate for one in reversed(ranked)}
    names = list(dict.fromkeys(one.candidate.name for one in ranked))
    return tuple(by_name[name] for name in names[:FINALISTS])


def _ended(bench: Bench, best: Tried, planned: Candidate, ended: str) -> Search:
    stands = bench.known[planned.label]
    return _document(bench, ended, (stands.trial.number, best.trial.number), confirmed(bench, best, stands))


def _nothing(bench: Bench, because: str) -> Search:
    return _document(bench, "failed", (-1, -1), Confirmed(-1, (), because[:2000]))


def _document(bench: Bench, ended: str, numbers: tuple[int, int], found: Confirmed) -> Search:
    terms = bench.terms
    return Search(
        workload=terms.workload.name,
        workload_sha256=terms.workload_sha256,
        machine=terms.machine,
        machine_sha256=terms.machine_sha256,
        cpus=terms.cpus,
        scale=terms.scale,
        seed=terms.seed,
        sampler=terms.sampler,
        budget_trials=terms.trials,
        budget_s=terms.seconds,
        training_seeds=terms.training_seeds,
        fresh_seeds=terms.fresh_seeds,
        ended=ended,
        trials=tuple(one.trial for one in bench.tried),
        planned=numbers[0],
        winner=numbers[1],
        chosen=found.chosen,
        confirmed=found.confirmations,
        because=found.because,
        runs=bench.lab.runs(),
    )


def _steps(terms: Terms) -> list[int]:
    whole = len(terms.training_seeds)
    return [*(step for step in STEPS if step < whole), whole]


def _with(trial: SearchTrial, found: Value, seeds: int) -> SearchTrial:
    value = None if found.value is None else round(found.value, 6)
    return replace(trial, seeds=seeds, value=value, broken=round(found.broken, 6), figures=found.figures)
