"""Seeded draws from :meth:`random.Random.random` alone, the one method whose sequence Python promises to keep."""

from __future__ import annotations

import math
import random

Draws = random.Random  # what :func:`generator` gives; only its method random() may be called


def generator(*parts: object) -> random.Random:
    """A generator that depends on all parts and on nothing else."""
    return random.Random("/".join(str(part) for part in parts))  # noqa: S311 - job lengths, not secrets


def normal(rng: random.Random) -> float:
    """Mean 0, standard deviation 1 (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - rng.random()))
    return radius * math.cos(2.0 * math.pi * rng.random())


def lognormal(rng: random.Random, sigma: float) -> float:
    """Mean 1; *sigma* is the standard deviation of the logarithm."""
    return math.exp(sigma * normal(rng) - sigma * sigma / 2.0)


def exponential(rng: random.Random, mean: float) -> float:
    """A gap between two independent arrivals, same unit as *mean*."""
    return -mean * math.log(1.0 - rng.random())


def shuffled(rng: random.Random, count: int) -> list[int]:
    """A random order of 0 .. count - 1 (Fisher and Yates)."""
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
