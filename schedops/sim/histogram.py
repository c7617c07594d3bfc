"""Percentiles out of the engine's histograms and out of plain lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from schedops.model.simulation import Histogram, bucket_bounds


def merged(parts: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    counts: Counter[int] = Counter()
    for part in parts:
        for bucket, count in part.counts:
            counts[bucket] += count
    return Histogram(tuple(sorted(counts.items())))


def total(histogram: Histogram) -> int:
    """How many values it holds."""
    return sum(count for _, count in histogram.counts)


def percentile(histogram: Histogram, share: float) -> float | None:
    """Value below which *share* (0 to 1) of the values lie, linear within a bucket; None when it is empty.

    A bucket is a sixteenth of its value wide, so the error is below 6.25 %.
    """
    wanted = share * total(histogram)
    below = 0
    for bucket, count in histogram.counts:
        if below + count >= wanted:
            low, high = bucket_bounds(bucket)
            return low + (high - low) * (wanted - below) / count
        below += count
    return None
