"""Is the winner of a search better than what was planned, on seeds that nobody chose it by? Pure but for the lab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schedops.agent.lab import DEFAULT_SCHEDULER, SETTINGS_ALONE, Candidate
from schedops.agent.value import Metrics, per_seed, value_of
from schedops.model.search import Confirmation
from schedops.stats.interval import paired_interval

if TYPE_CHECKING:
    from schedops.agent.trials import Bench, Tried

CONFIDENCE = 0.95
WORTH = 0.01  # a smaller gain over what was planned is not worth an argument


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Which one is proposed, and the figures for that."""

    chosen: int
    confirmations: tuple[Confirmation, ...]
    because: str


def confirmed(bench: Bench, winner: Tried, planned: Tried) -> Confirmed:
    """Run all that matter on the fresh seeds: the winner must be clearly better there than what was planned."""
    fresh = _Fresh(bench)
    chosen, why = _chosen(fresh, winner, planned)
    found = [
        one
        for trial in dict.fromkeys((winner.trial.number, planned.trial.number))
        for one in fresh.over(bench.tried[trial], DEFAULT_SCHEDULER, "eevdf")
        + fresh.over(bench.tried[trial], SETTINGS_ALONE, "informed")
    ]
    settings = bench.known.get(SETTINGS_ALONE.label)
    if settings is not None:
        found += fresh.over(settings, DEFAULT_SCHEDULER, "eevdf")
    if winner is not planned:
        found.append(fresh.composite(winner, planned))
    return Confirmed(chosen.trial.number, tuple(found), why)


def confirmed_alone(bench: Bench, winner: Tried) -> Confirmed:
    """Nothing was planned: the winner must be clearly better than the default scheduler, and break nothing."""
    fresh = _Fresh(bench)
    found = [
        *fresh.over(winner, DEFAULT_SCHEDULER, "eevdf"),
        *fresh.over(winner, SETTINGS_ALONE, "informed"),
        *fresh.over(bench.known[SETTINGS_ALONE.label], DEFAULT_SCHEDULER, "eevdf"),
    ]
    gain = fresh.against(winner, DEFAULT_SCHEDULER, "eevdf")
    tried = f"the best of {len(bench.tried)} candidates: {_interval(gain)} beside the default scheduler on fresh seeds"
    if gain.high is None or gain.high >= 0 or gain.estimate is None or gain.estimate > -WORTH:
        return Confirmed(-1, tuple(found), f"{_words(winner)} is {tried}, not clearly better")
    if fresh.broken(winner):
        return Confirmed(-1, tuple(found), f"{_words(winner)} is {tried}, but it breaks what must hold")
    return Confirmed(winner.trial.number, tuple(found), f"{_words(winner)} is {tried}")


def _chosen(fresh: _Fresh, winner: Tried, planned: Tried) -> tuple[Tried, str]:
    if winner is planned:
        return planned, f"nothing that was tried is better than {_words(planned)}"
    if planned.trial.state == "failed":
        return winner, f"{_words(planned)} did not get through: {planned.trial.note}"
    found = fresh.composite(winner, planned)
    said = f"{_words(winner)} beside {_words(planned)} on {found.pairs} fresh seeds: {_interval(found)}"
    broken, allowed = fresh.broken(winner), fresh.broken(planned)
    if broken > allowed:
        return planned, f"{said}, but it breaks more of what must hold, so {_words(planned)} stands"
    if broken < allowed:
        return winner, f"{said}, and it keeps more of what must hold"
    if found.high is not None and found.high < 0 and found.estimate is not None and found.estimate <= -WORTH:
        return winner, f"{said}, clearly better"
    return planned, f"{said}, not clearly better, so {_words(planned)} stands"


class _Fresh:
    # Readings on the fresh seeds, asked for once.
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._workload = bench.terms.workload
        self._seeds = bench.terms.fresh_seeds

    def metrics(self, candidate: Candidate) -> list[Metrics]:
        readings = self._bench.lab.run([(candidate, seed) for seed in self._seeds])
        return [one.metrics or {} for one in readings]

    def over(self, one: Tried, baseline: Candidate, name: str) -> list[Confirmation]:
        base, new = self.metrics(baseline), self.metrics(one.candidate)
        found = []
        for objective in self._workload.objectives:
            metric = objective.metric
            pairs = [(b[metric], n[metric]) for b, n in zip(base, new, strict=True) if b.get(metric) and n.get(metric)]
            logs = [math.log(after / before) for before, after in pairs]
            found.append(_confirmation(one, name, metric, logs))
        return found

    def composite(self, one: Tried, planned: Tried) -> Confirmation:
        return self.against(one, planned.candidate, "planned")

    def against(self, one: Tried, baseline: Candidate, name: str) -> Confirmation:
        base, new = self.metrics(baseline), self.metrics(one.candidate)
        return _confirmation(one, name, "", per_seed(self._workload, base, new))

    def broken(self, one: Tried) -> float:
        new = self.metrics(one.candidate)
        if not all(new):
            return math.inf
        base, informed = self.metrics(DEFAULT_SCHEDULER), self.metrics(SETTINGS_ALONE)
        return round(value_of(self._workload, base, informed, new).broken, 6)


def _confirmation(one: Tried, baseline: str, metric: str, logs: Sequence[float]) -> Confirmation:
    found = paired_interval(logs, confidence=CONFIDENCE)
    estimate, low, high = (
        None if value is None else round(math.expm1(value), 6) for value in (found.estimate, found.low, found.high)
    )
    return Confirmation(
        trial=one.trial.number, baseline=baseline, metric=metric, estimate=estimate, low=low, high=high, pairs=found.n
    )


def _words(one: Tried) -> str:
    values = " ".join(f"{value.name}={value.value}" for value in one.candidate.params)
    return f"{one.candidate.name} {values}".strip()


def _interval(found: Confirmation) -> str:
    if found.estimate is None:
        return "no figures"
    between = f" [{found.low:+.1%}, {found.high:+.1%}]" if found.low is not None and found.high is not None else ""
    return f"{found.estimate:+.1%}{between}"
