"""What measured runs say about a workload's jobs. The workload's own description of itself is never asked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean, stdev

from schedops.model.jobs import Hint, Hints, JobPlan, RunReading


def hints_from(workload_name: str, runs: Iterable[tuple[JobPlan, RunReading]], date: str) -> Hints:
    """Mean CPU time per job key over measured runs, sorted by key. Jobs that failed teach nothing.

    :param date: of the runs, ISO 8601 (``2026-11-21``).
    """
    seen: dict[str, list[int]] = defaultdict(list)
    for plan, reading in runs:
        for job, cpu_us, code in zip(plan.jobs, reading.cpu_us, reading.exit_codes, strict=True):
            if code == 0 and cpu_us > 0:
                seen[job.key].append(cpu_us)
    return Hints(workload=workload_name, hints=tuple(_hint(key, seen[key], date) for key in sorted(seen)))


def merge_hints(old: Hints, new: Hints) -> Hints:
    """Both as if all their runs had been measured together; old and new must be of different runs.

    The spread is the pooled one, with the distance of the two means taken as that of their logarithms.

    :raises ValueError: they are of two workloads.
    """
    if old.workload != new.workload:
        raise ValueError(f"hints of {old.workload} and {new.workload} have nothing in common")
    known = {hint.key: hint for hint in old.hints}
    for hint in new.hints:
        known[hint.key] = _merged(known[hint.key], hint) if hint.key in known else hint
    return Hints(workload=old.workload, hints=tuple(known[key] for key in sorted(known)))


def _hint(key: str, cpu_us: list[int], date: str) -> Hint:
    spread = round(stdev(map(math.log, cpu_us)), 4) if len(cpu_us) > 1 else None
    return Hint(key=key, cpu_us=max(1, round(fmean(cpu_us))), n=len(cpu_us), spread=spread, measured=date)


def _merged(one: Hint, two: Hint) -> Hint:
    n = one.n + two.n
    distance = math.log(one.cpu_us / two.cpu_us)
    within = sum((hint.n - 1) * (hint.spread or 0.0) ** 2 for hint in (one, two))
    between = one.n * two.n / n * distance**2
    return Hint(
        key=one.key,
        cpu_us=round((one.n * one.cpu_us + two.n * two.cpu_us) / n),
        n=n,
        spread=round(math.sqrt((within + between) / (n - 1)), 4),
        measured=max(one.measured, two.measured),
    )
