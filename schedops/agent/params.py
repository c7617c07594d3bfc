"""Parameters of a policy from the profile and the hints, clipped to the policy's own ranges. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from schedops.agent.predict import Situation
from schedops.model.policy import Param, ParamValue, Policy

# A median job needs about so many slices. Measured on ci-builds: 3 to 8 ms are alike, 19 ms is 2 % worse.
TURNS_PER_JOB = 16
MIN_GAP = 1.5  # neighbours among the sorted hints that differ by less are one kind of job


def chosen_params(situation: Situation, policy: Policy) -> tuple[tuple[ParamValue, str], ...]:
    """Values that differ from the defaults, each with the reason in words, in the policy's order."""
    found = []
    for param in policy.params:
        rule = _RULES.get(param.name)
        choice = rule(situation) if rule else None
        if choice is None:
            continue
        value = clipped(param, choice[0])
        if value != param.default:
            found.append((ParamValue(name=param.name, value=value), f"{param.name} {value} {param.unit}: {choice[1]}"))
    return tuple(found)


def clipped(param: Param, value: float) -> int:
    """The nearest value that the policy allows."""
    return max(param.min, min(param.max, round(value)))


def _slice_us(situation: Situation) -> tuple[float, str] | None:
    quantiles = situation.profile.cpu_ms_quantiles  # none without a run
    median_ms = quantiles[2] if quantiles else 0.0
    if median_ms <= 0:
        return None
    # Whole half milliseconds: finer is noise, and equal profiles then more often give equal objects.
    slice_us = 500 * max(1, round(median_ms * 1000 / TURNS_PER_JOB / 500))
    return slice_us, f"the median job takes {median_ms:.0f} ms of CPU time, so about {TURNS_PER_JOB} turns"


def _long_ms(situation: Situation) -> tuple[float, str] | None:
    expected = sorted(hint.cpu_us / 1000 for hint in situation.hints.hints) if situation.hints else []
    upper = expected[len(expected) // 2 :]  # long jobs are the few, so above the median
    if len(upper) < 2:
        return None
    below, above = max(pairwise(upper), key=lambda pair: pair[1] / pair[0])
    if above / below < MIN_GAP:
        return None
    middle = round(math.sqrt(below * above))
    return middle, f"hints leave a gap between {below:.0f} and {above:.0f} ms, and this is in the middle of it"


_RULES: dict[str, Callable[[Situation], tuple[float, str] | None]] = {"slice_us": _slice_us, "long_ms": _long_ms}
