"""What earlier outcomes say for or against a policy on the workload and machine at hand. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schedops.model.outcome import Outcome, OutcomeMachine
from schedops.model.rung import SIMULATED
from schedops.model.verdict import Verdict
from schedops.report.outcomes import effect_words

_SIMULATED = 0.3  # of what a measured outcome counts
_ANY_WORKLOAD = 0.1  # what an outcome on an unlike workload says about this one
_WORTH = {Verdict.PASS: 1.0, Verdict.FAIL: -1.0, Verdict.INCONCLUSIVE: -0.1, Verdict.ERROR: 0.0}


@dataclass(frozen=True, slots=True)
class Past:
    """:param points: -1 .. 1.

    :param why: the outcome that counts most, in words; empty: there is none.
    """

    points: float = 0.0
    why: str = ""


def past_of(
    outcomes: Sequence[Outcome], *, workload: str, classes: Sequence[str], machine: OutcomeMachine | None
) -> Past:
    """What speaks for it. Outcomes count more the more alike workload and machine are, and many alike ones saturate.

    :param workload: at hand, with its *classes*, most specific first; empty: none in particular.
    """
    counted = [(_alike(one, workload, classes) * _near(one, machine), one) for one in outcomes]
    weights = [(likeness * _WORTH[one.verdict] * _proof(one), one) for likeness, one in counted]
    if not any(weight for weight, _ in weights):
        return Past()
    strongest = max(weights, key=lambda pair: (abs(pair[0]), pair[1].created))[1]
    points = math.tanh(sum(weight for weight, _ in weights))
    return Past(round(points, 3), _words(strongest, workload, machine, len(outcomes)))


def _alike(one: Outcome, workload: str, classes: Sequence[str]) -> float:
    if workload and one.workload == workload:
        return 1.0
    shared = [1 / 2**place for place, name in enumerate(classes) if name in one.classes]
    return 0.5 * sum(shared) / sum(1 / 2**place for place in range(len(classes))) if shared else _ANY_WORKLOAD


def _near(one: Outcome, machine: OutcomeMachine | None) -> float:
    """1 on the same machine, less on unlike ones; a machine that nobody named is like any."""
    if machine is None or one.machine.fingerprint == machine.fingerprint:
        return 1.0
    ratio = min(one.machine.cpus, machine.cpus) / max(one.machine.cpus, machine.cpus)
    same = (one.machine.accelerator == machine.accelerator) + (one.machine.cpu_model == machine.cpu_model)
    return 0.5 + 0.3 * ratio + 0.1 * same


def _proof(one: Outcome) -> float:
    return _SIMULATED if one.rung == SIMULATED else 1.0


def _words(one: Outcome, workload: str, machine: OutcomeMachine | None, of: int) -> str:
    here = machine is not None and one.machine.fingerprint == machine.fingerprint
    place = "this machine" if here else f"{one.machine.cpus} CPUs"
    akin = " (of the same class)" if workload and one.workload != workload else ""
    effect = f": {effect_words(one.effects[0])}" if one.effects else ""
    more = f"; {of} outcomes in all" if of > 1 else ""
    return f"{one.verdict.value} on {one.workload}{akin} on {place}, {one.rung}{effect}{more}"
