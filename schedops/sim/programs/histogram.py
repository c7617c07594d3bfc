"""Quantiles of the engine's histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from schedops.model.simulation import Histogram, bucket_bounds


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    counts: Counter[int] = Counter()
    for histogram in histograms:
        for bucket, count in histogram.counts:
            counts[bucket] += count
    return Histogram(tuple(sorted(counts.items())))


def count_of(histogram: Histogram) -> int:
    """How many values it holds."""
    return sum(count for _, count in histogram.counts)


def quantile_ns(histogram: Histogram, share: float) -> float | None:
    """The value that *share* (0 .. 1) of all values are at or below, by the rank ceil(share x n); None when empty.

    Values of a bucket, which is at most 1/16 of its value wide, are taken as spread evenly over it.
    """
    left = share * count_of(histogram)
    for bucket, count in histogram.counts:
        if count >= left > 0 or (count and left <= 0):
            low, high = bucket_bounds(bucket)
            return low + (high - 1 - low) * max(left, 0.0) / count
        left -= count
    return None
