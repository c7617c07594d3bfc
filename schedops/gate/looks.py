"""Which rounds count at which look, and how sure a look has to be. A look may end the comparison, so each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from schedops.gate.conditions import condition
from schedops.gate.words import level
from schedops.model.decision import Reason
from schedops.model.measurements import Measurements
from schedops.model.verdict import Verdict
from schedops.model.workload import Workload


def planned(measurements: Measurements) -> tuple[int, ...]:
    """After how many rounds the gate looks; without a plan once, at the end."""
    return measurements.looks or (max(1, rounds_of(measurements)),)


def reached(measurements: Measurements) -> tuple[int, ...]:
    """The looks whose rounds are all there."""
    return tuple(look for look in planned(measurements) if look <= rounds_of(measurements))


def rounds_of(measurements: Measurements) -> int:
    """How many rounds were measured."""
    return len({one.round for one in measurements.rounds})


def first_rounds(measurements: Measurements, count: int) -> Measurements:
    """As if it had ended after *count* rounds."""
    kept = set(sorted({one.round for one in measurements.rounds})[:count])
    return replace(
        measurements,
        rounds=tuple(one for one in measurements.rounds if one.round in kept),
        samples=tuple(sample for sample in measurements.samples if sample.round in kept),
    )


def confidence_of(workload: Workload, looks: Sequence[int]) -> float:
    """Level of every interval at every look.

    One-sided, each objective at level 0.95 improves by chance in 2.5 % of the cases. Any of them may carry the claim,
    so with more than two the level rises to keep that chance at 5 % in all; and any look may end it, so what is left is
    shared out among the looks (Bonferroni, twice: simple, valid for every way of stopping, easy to check by hand).
    """
    return 1 - 0.1 / max(2, len(workload.objectives)) / len(looks)


def at_a_look(workload: Workload, measurements: Measurements) -> Reason:
    """The figures are of a look that was planned before the first run.

    PASS: so they are. INCONCLUSIVE: it ended before. ERROR: the plan is none.
    """
    looks, done = planned(measurements), rounds_of(measurements)
    if any(later <= earlier for earlier, later in pairwise((0, *looks))):
        return condition("looks", Verdict.ERROR, f"looks after {', '.join(map(str, looks))} rounds are no plan")
    if done not in looks:
        text = f"it ended after {done} rounds, and a look was due after {', '.join(map(str, looks))}"
        return condition("looks", Verdict.INCONCLUSIVE, text)
    sure = f"intervals at {level(confidence_of(workload, looks))}"
    if len(looks) == 1:
        return condition("looks", Verdict.PASS, f"one look, after {done} rounds, {sure}")
    text = f"look {looks.index(done) + 1} of {len(looks)}, after {done} of at most {looks[-1]} rounds, {sure}"
    return condition("looks", Verdict.PASS, text)
