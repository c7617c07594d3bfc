"""Two exact tests for what should not be there: an effect of the order of runs, and a trend. No randomness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, combinations

from schedops.stats.summary import median


@dataclass(frozen=True, slots=True)
class Finding:
    """How large something is, in the unit of the values, and how often chance alone would make it as clear."""

    size: float
    p: float  # two-sided, 0 .. 1


def shift(first: Sequence[float], second: Sequence[float]) -> Finding:
    """How much *second* lies above *first* (Hodges-Lehmann), with the exact rank-sum test.

    Ties count as half for either side, so *p* is then too large, never too small.

    :param first: finite, at least one; *second* likewise.
    :raises ValueError: one side is empty, or a value is not finite.
    Source: Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 3rd ed., sections 4.1 and 4.2.
    """
    _check((*first, *second))
    if not first or not second:
        raise ValueError("both sides need a value")
    gaps = [b - a for a in first for b in second]
    wins = sum((gap > 0) - (gap < 0) for gap in gaps)  # twice the distance of the statistic from its mean
    sizes = sorted((len(first), len(second)))
    return Finding(median(gaps), _two_sided(_rank_sums(sizes[0], sizes[1]), abs(wins), len(gaps)))


def trend(values: Sequence[float]) -> Finding:
    """How much the values rise from the first to the last (Theil-Sen slope), with Kendall's exact test.

    Ties count for neither side, so *p* is then too large, never too small.

    :param values: in order of time, finite, at least two.
    :raises ValueError: fewer than two values, or one is not finite.
    Source: Mann 1945, Nonparametric tests against trend, Econometrica 13(3); Sen 1968, JASA 63(324).
    """
    _check(values)
    if len(values) < 2:
        raise ValueError("a trend needs two values")
    steps = [(values[b] - values[a], b - a) for a, b in combinations(range(len(values)), 2)]
    rises = sum((rise > 0) - (rise < 0) for rise, _ in steps)
    slope = median([rise / time for rise, time in steps])
    return Finding(slope * (len(values) - 1), _two_sided(_inversions(len(values)), abs(rises), len(steps)))


def _two_sided(counts: tuple[int, ...], distance: int, top: int) -> float:
    # *counts* by statistic 0 .. top, symmetric around top / 2; *distance* is twice how far the statistic is from there.
    far = sum(count for at, count in enumerate(counts) if abs(2 * at - top) >= distance)
    return far / sum(counts)


@lru_cache(maxsize=256)
def _rank_sums(few: int, many: int) -> tuple[int, ...]:
    # How many of the choices of *few* out of few + many have each Mann-Whitney statistic: the coefficients of the
    # Gaussian binomial, the product of (1 - q^(many + i)) / (1 - q^i).
    counts = [1] + [0] * (few * many)
    for i in range(1, few + 1):
        for at in range(len(counts) - 1, many + i - 1, -1):
            counts[at] -= counts[at - many - i]
        for at in range(i, len(counts)):
            counts[at] += counts[at - i]
    return tuple(counts)


@lru_cache(maxsize=256)
def _inversions(n: int) -> tuple[int, ...]:
    # How many orders of n things have each number of pairs in the right order.
    counts = [1]
    for size in range(2, n + 1):
        # The next thing adds 0 .. size - 1 pairs: a sum over a window, taken from running sums.
        sums = [*accumulate(counts + [0] * (size - 1))]
        counts = [total - (sums[at - size] if at >= size else 0) for at, total in enumerate(sums)]
    return tuple(counts)


def _check(values: Sequence[float]) -> None:
    if not all(math.isfinite(value) for value in values):
        raise ValueError("every value must be finite")
