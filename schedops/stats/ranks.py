"""How well one set of numbers foretells another: their ranks, and the signs of what they foretell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import combinations, groupby

from schedops.stats.summary import mean

LEAST_EFFECT = 0.01  # a foretold change of less than 1 % says that there is none, unless that is what was measured


class Agreement(StrEnum):
    """What a measured interval says of a foretold change."""

    SAME = "same sign"
    NEITHER = "no effect in both"
    WRONG = "wrong sign"
    MISSED = "missed"  # there is an effect, and none was foretold
    INVENTED = "invented"  # an effect was foretold, and there is none
    UNSURE = "too noisy"  # the interval holds zero and more than what counts as none


def agreement(foretold: float, low: float, high: float, *, none: float) -> Agreement:
    """Does the change *foretold* agree with the measured interval [*low*, *high*]? All are fractions.

    :param none: an interval within +-none shows that there is no effect worth the name; so does a foretold change
        within it then.
    :raises ValueError: a value is not finite, or the interval is not one.
    """
    if not all(map(math.isfinite, (foretold, low, high))) or low > high:
        raise ValueError(f"no change and interval: {foretold}, [{low}, {high}]")
    if -none <= low and high <= none:
        return Agreement.NEITHER if abs(foretold) <= none else Agreement.INVENTED
    if low <= 0 <= high:
        return Agreement.UNSURE
    if abs(foretold) < LEAST_EFFECT and not low <= foretold <= high:
        return Agreement.MISSED
    return Agreement.SAME if (foretold > 0) == (low > 0) else Agreement.WRONG


def ranks(values: Sequence[float]) -> tuple[float, ...]:
    """1 for the smallest; equal values share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    place = 0
    for _, tied in groupby(order, key=values.__getitem__):
        members = list(tied)
        for member in members:
            found[member] = place + (len(members) + 1) / 2
        place += len(members)
    return tuple(found)


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Rank correlation rho, -1 .. 1: the product-moment correlation of the ranks, which is right with ties as well.

    :return: None where it is not defined: fewer than two pairs, or one side all equal.
    :raises ValueError: two lengths, or a value that is not finite.
    Source: Kendall & Gibbons, Rank Correlation Methods, 5th ed., chapters 1 and 3.
    """
    _check(first, second)
    if len(first) < 2:
        return None
    a, b = ranks(first), ranks(second)
    middle = mean(a)  # of both: ranks add up to the same
    a_squares = math.fsum((x - middle) ** 2 for x in a)
    b_squares = math.fsum((y - middle) ** 2 for y in b)
    if not a_squares or not b_squares:
        return None
    return math.fsum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True)) / math.sqrt(a_squares * b_squares)


def kendall_tau_b(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Rank correlation tau-b, -1 .. 1: pairs in the same order less pairs in the other one, by the pairs that are not
    tied (the geometric mean of both sides).

    :return: None where it is not defined: fewer than two pairs, or one side all equal.
    :raises ValueError: two lengths, or a value that is not finite.
    Source: Kendall 1945, The treatment of ties in ranking problems, Biometrika 33(3), 239-251.
    """
    _check(first, second)
    same = a_untied = b_untied = 0
    for (a1, b1), (a2, b2) in combinations(zip(first, second, strict=True), 2):
        a, b = _sign(a2 - a1), _sign(b2 - b1)
        same += a * b
        a_untied += a * a
        b_untied += b * b
    return same / math.sqrt(a_untied * b_untied) if a_untied and b_untied else None


def _check(first: Sequence[float], second: Sequence[float]) -> None:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values cannot be paired with {len(second)}")
    if not all(map(math.isfinite, (*first, *second))):
        raise ValueError("every value must be finite")


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
