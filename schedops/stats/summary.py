"""Quantiles and spreads of plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """Value below which *share* of the values lie, linear between neighbours.

    :param values: at least one, any order, same unit as the result.
    :param share: 0 (smallest) to 1 (largest).
    :raises ValueError: no values, or *share* out of range.
    Source: Hyndman & Fan 1996, definition 7.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"need values and a share in 0..1, got {len(values)} values and {share}")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def quantiles(values: Sequence[float], shares: Sequence[float]) -> tuple[float, ...]:
    """:func:`quantile` at each of *shares*."""
    return tuple(quantile(values, share) for share in shares)


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones. :raises ValueError: no values."""
    return quantile(values, 0.5)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean. :raises ValueError: no values."""
    if not values:
        raise ValueError("no values")
    return math.fsum(values) / len(values)


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation of a sample (n - 1); None with fewer than two values."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
