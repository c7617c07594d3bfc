"""A search among policies and their parameters in the simulator: everything that was tried, losers too."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue
from schedops.model.rung import SIMULATED

SETTINGS = "informed-default"  # the default scheduler with settings from hints; stands among the candidates
SAMPLERS = ("tpe", "random")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFigure:
    """:param role: objective | guard.

    :param change: against the default scheduler, as a fraction (-0.2 = 20 % smaller); median over the trial's seeds.
    """

    metric: str
    role: str
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrial:
    """One candidate.

    :param number: in the order in which they were tried, from 0.
    :param candidate: a policy's name, or :data:`SETTINGS`.
    :param recipe: what the policy was composed of; empty for one of the library.
    :param origin: planner (its rules chose the values) | learnt (it passed before) | model (a language model proposed
        it) | default (the policy's own) | settings | sampler | simpler (the best one so far with values put back).
    :param state: complete | pruned (clearly behind after *seeds* seeds) | failed (*note* says how).
    :param seeds: training seeds it was run with.
    :param value: what the search makes small: mean change of the objectives, as ln, plus what guards are broken by;
        None for one that failed.
    :param broken: by how much objectives that must not get worse, hard guards and hard SLOs are missed, in all.
    """

    number: int
    candidate: str
    params: tuple[ParamValue, ...] = ()
    recipe: str = ""
    origin: str
    state: str
    seeds: int
    value: float | None = None
    broken: float = 0.0
    figures: tuple[SearchFigure, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A candidate on seeds that the search has not seen.

    :param trial: its number.
    :param baseline: eevdf | informed | planned (the candidate that stands if the search finds nothing better).
    :param metric: of the workload; empty: what the search makes small.
    :param estimate: change as a fraction of the baseline, negative = smaller, Hodges-Lehmann over pairs of seeds.
    :param low: None together with *high* when there are too few seeds for an interval.
    """

    trial: int
    baseline: str
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Nothing in it was measured.

    :param machine_sha256: of the simulated machine's document; *workload_sha256* likewise.
    :param sampler: of :data:`SAMPLERS`.
    :param budget_trials: how many candidates it could try; *budget_s*: seconds it could take, 0: as many as needed.
    :param ended: trials | time | space (there was nothing left to try) | failed (nothing could be run).
    :param planned: number of the trial that stands unless another one is clearly better on fresh seeds.
    :param winner: number of the best trial; *chosen*: of the one that is proposed, one of these two. -1: there is none.
    :param because: why that one, in words.
    :param runs: simulated runs in all.
    """

    rung: str = SIMULATED
    workload: str
    workload_sha256: str
    machine: str
    machine_sha256: str
    cpus: int
    scale: float
    seed: int
    sampler: str
    budget_trials: int
    budget_s: float
    training_seeds: tuple[int, ...]
    fresh_seeds: tuple[int, ...]
    ended: str
    trials: tuple[SearchTrial, ...]
    planned: int
    winner: int
    chosen: int
    confirmed: tuple[Confirmation, ...] = ()
    because: str
    runs: int

    def trial(self, number: int) -> SearchTrial | None:
        """None where there is none."""
        return self.trials[number] if 0 <= number < len(self.trials) else None
