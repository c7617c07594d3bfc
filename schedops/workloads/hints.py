"""What measured runs say about a workload's jobs. The workload's own description of itself is never asked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean, stdev

from schedops.model.jobs import Hint, Hints, JobPlan, RunReading

HALF_LIFE_DAYS = 30  # after so long a run counts half
FORGOTTEN_DAYS = 180  # what nobody has run for so long goes
MAX_KEYS = 10_000
MAX_LEARNT = 64
CPU, WALL = "cpu", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one job.

    :param us: at least 1.
    :param date: ISO 8601 (``2026-11-21``).
    :param clock: ``cpu`` or ``wall``, see :class:`Hint`.
    """

    key: str
    us: int
    date: str
    clock: str = CPU
    chain_us: int | None = None


def hints_from(workload_name: str, runs: Iterable[tuple[JobPlan, RunReading]], date: str) -> Hints:
    """Mean CPU time per job key over measured runs, sorted by key. Jobs that failed teach nothing.

    :param date: of the runs, ISO 8601 (``2026-11-21``).
    """
    measured = [
        Measured(key=job.key, us=cpu_us, date=date)
        for plan, reading in runs
        for job, cpu_us, code in zip(plan.jobs, reading.cpu_us, reading.exit_codes, strict=True)
        if code == 0 and cpu_us > 0
    ]
    return hints_of(workload_name, measured)


def hints_of(workload_name: str, measured: Iterable[Measured]) -> Hints:
    """Mean per key, sorted by key. Where CPU time of a job was measured, its elapsed times do not count."""
    seen: dict[str, list[Measured]] = defaultdict(list)
    for one in measured:
        seen[one.key].append(one)
    return Hints(workload=workload_name, hints=_newest([_hint(key, runs) for key, runs in seen.items()]))


def merge_hints(old: Hints, new: Hints) -> Hints:
    """Both as if all their runs had been measured together; old and new must be of different runs.

    Runs count less the older they are: half after HALF_LIFE_DAYS, counted from the newer of the two. What is more than
    FORGOTTEN_DAYS older than the newest hint of all goes, and so do the oldest of more than MAX_KEYS. Where one side
    knows CPU time and the other elapsed time, the former is right. The spread is the pooled one, with the distance of
    the two means taken as that of their logarithms.

    :raises ValueError: they are of two workloads.
    """
    if old.workload != new.workload:
        raise ValueError(f"hints of {old.workload} and {new.workload} have nothing in common")
    known = {hint.key: hint for hint in old.hints}
    for hint in new.hints:
        known[hint.key] = _merged(known[hint.key], hint) if hint.key in known else hint
    today = max((hint.measured for hint in known.values()), default="")
    kept = [hint for hint in known.values() if _days(hint.measured, today) <= FORGOTTEN_DAYS]
    learnt = dict.fromkeys((*old.learnt, *new.learnt))
    return Hints(workload=old.workload, hints=_newest(kept), learnt=tuple(learnt)[-MAX_LEARNT:])


def _newest(hints: Sequence[Hint]) -> tuple[Hint, ...]:
    kept = hints
    if len(hints) > MAX_KEYS:
        # Of one day the long ones: who does not know the short ones loses least.
        by_age = sorted(hints, key=lambda hint: (hint.measured, hint.cpu_us, hint.key))
        kept = by_age[-MAX_KEYS:]
    return tuple(sorted(kept, key=lambda hint: hint.key))


def _hint(key: str, runs: Sequence[Measured]) -> Hint:
    clock = CPU if any(one.clock == CPU for one in runs) else WALL
    counted = [one for one in runs if one.clock == clock]
    times_us = [one.us for one in counted]
    chains_us = [one.chain_us for one in runs if one.chain_us is not None]
    return Hint(
        key=key,
        cpu_us=max(1, round(fmean(times_us))),
        n=len(counted),
        spread=round(stdev(map(math.log, times_us)), 4) if len(counted) > 1 else None,
        measured=max(one.date for one in counted),
        chain_us=max(1, round(fmean(chains_us))) if chains_us else None,
        clock=clock,
    )


def _merged(one: Hint, two: Hint) -> Hint:
    if one.clock != two.clock:
        right, other = (one, two) if one.clock == CPU else (two, one)
        return replace(right, chain_us=right.chain_us or other.chain_us)
    measured = max(one.measured, two.measured)
    weights = [hint.n * 0.5 ** (_days(hint.measured, measured) / HALF_LIFE_DAYS) for hint in (one, two)]
    n = sum(weights)
    return replace(
        one,
        cpu_us=_mean(one.cpu_us, two.cpu_us, weights),
        n=max(1, round(n)),
        spread=_spread(one, two, weights),
        measured=measured,
        chain_us=_chain(one, two, weights),
    )


def _mean(one_us: int, two_us: int, weights: Sequence[float]) -> int:
    return max(1, round((weights[0] * one_us + weights[1] * two_us) / sum(weights)))


def _chain(one: Hint, two: Hint, weights: Sequence[float]) -> int | None:
    if one.chain_us is None or two.chain_us is None:
        return two.chain_us if one.chain_us is None else one.chain_us
    return _mean(one.chain_us, two.chain_us, weights)


def _spread(one: Hint, two: Hint, weights: Sequence[float]) -> float | None:
    n = sum(weights)
    if n < 2:  # two runs, and the older one hardly counts any more
        newer = max((one, two), key=lambda hint: hint.measured)
        return newer.spread
    distance = math.log(one.cpu_us / two.cpu_us)
    pairs = zip(weights, (one, two), strict=True)
    within = sum(max(weight - 1, 0) * (hint.spread or 0.0) ** 2 for weight, hint in pairs)
    between = weights[0] * weights[1] / n * distance**2
    return round(math.sqrt((within + between) / (n - 1)), 4)


def _days(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
