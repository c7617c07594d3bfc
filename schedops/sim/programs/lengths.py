"""Tables of drawn lengths: quantiles of a distribution, so that a table is the same for every seed."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

ENTRIES = 4096  # the largest is drawn once in so many: tails are right up to P99.9
FIXED, LOGNORMAL, EXPONENTIAL = "fixed", "lognormal", "exponential"


@lru_cache(maxsize=256)
def length_table(draw: str, mean_ns: int, sigma: float) -> tuple[int, ...]:
    """Lengths in ns whose mean is *mean_ns*; an engine that draws each entry equally often draws the distribution.

    :param draw: ``lognormal`` (*sigma* of the logarithm) or ``exponential``.
    """
    shares = [(at + 0.5) / ENTRIES for at in range(ENTRIES)]
    if draw == EXPONENTIAL:
        shape = [-math.log1p(-share) for share in shares]
    else:
        normal = NormalDist()
        shape = [math.exp(sigma * normal.inv_cdf(share)) for share in shares]
    factor = mean_ns * ENTRIES / math.fsum(shape)
    return tuple(max(1, round(factor * value)) for value in shape)


def is_drawn(draw: str, sigma: float) -> bool:
    """Whether lengths differ at all."""
    return draw == EXPONENTIAL or (draw == LOGNORMAL and sigma > 0)
