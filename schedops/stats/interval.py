"""Paired log ratios in, an estimate with an exact interval out. No randomness: a gate can compute it again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement

from schedops.stats.summary import median


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it, in the unit of the differences.

    :param estimate: None without a single difference.
    :param low: None together with *high* when *n* is too small for the confidence asked for: the interval is infinite.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int


def paired_interval(differences: Sequence[float], *, confidence: float) -> Interval:
    """Hodges-Lehmann estimate with the exact interval of the Wilcoxon signed-rank test.

    Zero differences and ties stay in: the interval is closed and then covers more than asked for, never less.

    :param differences: one per pair, for instance ln(new / base); finite; any order.
    :param confidence: two-sided coverage, in (0, 1). 0.95 needs 6 pairs, 0.98 needs 7, 0.99 needs 8.
    :return: same unit as *differences*.
    :raises ValueError: a difference is not finite, or *confidence* is out of range.
    Source: Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 3rd ed., sections 3.2 and 3.3.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    if not all(math.isfinite(difference) for difference in differences):
        raise ValueError("every difference must be finite")
    n = len(differences)
    if n == 0:
        return Interval(None, None, None, 0)
    averages = sorted((a + b) / 2 for a, b in combinations_with_replacement(differences, 2))
    cut = signed_rank_cut(n, confidence)
    if cut == 0:
        return Interval(median(averages), None, None, n)
    return Interval(median(averages), averages[cut - 1], averages[-cut], n)


@lru_cache(maxsize=256)
def signed_rank_cut(n: int, confidence: float) -> int:
    """Which of the sorted Walsh averages bounds the interval, counted from 1 at either end; 0: none does.

    The largest k with P(W <= k - 1) <= (1 - confidence) / 2, where W is the signed-rank statistic of *n* pairs.
    """
    tail = (1 - Fraction(str(confidence))) / 2
    budget = math.floor(tail * 2**n)
    cut = 0
    for count in _subset_sums(n):
        budget -= count
        if budget < 0:
            break
        cut += 1
    return cut


def _subset_sums(n: int) -> list[int]:
    # How many subsets of {1 .. n} have each sum: the null distribution of the signed-rank statistic times 2**n.
    counts = [1]
    for rank in range(1, n + 1):
        pad = [0] * rank
        counts = [a + b for a, b in zip(counts + pad, pad + counts, strict=True)]
    return counts
