"""Before it starts: how many pairs the smallest effect worth having needs at the noise seen so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schedops.gate.looks import confidence_of
from schedops.gate.pairs import pair_up
from schedops.gate.words import metric_name
from schedops.model.measurements import Measurements
from schedops.model.workload import Objective, Workload
from schedops.stats.power import chances, pairs_wanted
from schedops.stats.summary import mean, spread

# Standard deviation of ln(arm / baseline) of one pair where nobody has measured yet: mean build time per floor of
# ci-builds in emulated guests on two CPUs had 0.066 .. 0.117 over six pairs of arms.
PRIOR_SPREAD = 0.09
CHANCE = 0.8
_ARMS = (("candidate", "eevdf"), ("candidate", "informed"), ("informed", "eevdf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """One objective.

    :param spread: standard deviation of ln(arm / baseline) of one pair.
    :param runs: earlier comparisons that *spread* is from; 0: a prior.
    :param chances: for each look, how likely an effect of *effect* has been told from none by then, 0 .. 1.
    :param pairs: that show it with a chance of :data:`CHANCE`.
    """

    metric: str
    effect: float
    spread: float
    runs: int
    looks: tuple[int, ...]
    chances: tuple[float, ...]
    pairs: int


def foresee(workload: Workload, looks: tuple[int, ...], earlier: Sequence[Measurements]) -> tuple[Foresight, ...]:
    """:param earlier: comparisons of this workload in the environment at hand, whatever the policy."""
    return tuple(_objective(workload, one, looks, earlier) for one in workload.objectives if one.min_effect > 0)


def seconds_a_round(earlier: Sequence[Measurements]) -> float | None:
    """Of the three arms, warm-up shared out; None: nobody has measured yet."""
    took = [one.seconds / len(one.rounds) for one in earlier if one.rounds]
    return mean(took) if took else None


def in_words(found: Foresight, round_s: float | None) -> str:
    """A sentence for people, before anything is measured."""
    after = ", ".join(
        f"{look} rounds {100 * chance:.0f} %" for look, chance in zip(found.looks, found.chances, strict=True)
    )
    noise = f"{100 * found.spread:.1f} % a pair, " + (f"{found.runs} earlier runs" if found.runs else "assumed")
    beyond = "" if found.pairs <= found.looks[-1] else f", more than the {found.looks[-1]} that are planned"
    time = "" if round_s is None else f", about {_minutes(found.pairs * round_s)}"
    return (
        f"an effect of {100 * found.effect:g} % on {metric_name(found.metric)} is told from none after {after}; "
        f"{found.pairs} pairs for {CHANCE:.0%}{beyond}{time} (noise {noise})"
    )


def _objective(
    workload: Workload, objective: Objective, looks: tuple[int, ...], earlier: Sequence[Measurements]
) -> Foresight:
    spreads = [found for one in earlier if (found := _noise(one, objective)) is not None]
    # At least a little: equal figures throughout would promise everything.
    noise = max(math.sqrt(mean([found**2 for found in spreads])), 1e-4) if spreads else PRIOR_SPREAD
    effect, confidence = math.log1p(objective.min_effect), confidence_of(workload, looks)
    return Foresight(
        metric=objective.metric,
        effect=objective.min_effect,
        spread=noise,
        runs=len(spreads),
        looks=looks,
        chances=chances(effect, noise, looks=looks, confidence=confidence),
        pairs=pairs_wanted(effect, noise, confidence=confidence, chance=CHANCE),
    )


def _noise(measurements: Measurements, objective: Objective) -> float | None:
    # Pooled over the pairs of arms; the policy may add noise of its own, and both comparisons have to come out.
    found = [
        pair_up(measurements, objective.metric, unit=objective.unit, arm=arm, baseline=baseline).logs
        for arm, baseline in _ARMS
    ]
    spreads = [one for logs in found if (one := spread(logs)) is not None]
    return math.sqrt(mean([one**2 for one in spreads])) if spreads else None


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
