"""What a monitoring system answers: values over time, with labels. Said by a server: untrusted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """:param points: (time, value) in order of time; seconds since 1970, in UTC. All finite: what is no number is none.

    :param labels: (name, value), sorted.
    """

    labels: tuple[tuple[str, str], ...]
    points: tuple[tuple[float, float], ...]
