"""What performance events counted for the tasks of a run, as figures; and which could not be counted, and why. Pure."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence

from schedops.analyze.figure import figure
from schedops.model.accounting import Counter
from schedops.model.profile import Figure, Missing

_FIGURES = {  # counter: figure, unit, factor, meaning
    "task_clock_ns": ("task_clock_ms", "ms", 1e-6, "time on CPUs"),
    "switches": ("task_switches", "times", 1.0, "taken off a CPU"),
    "migrations": ("task_migrations", "times", 1.0, "moved to another CPU"),
    "minor_faults": ("task_minor_faults", "times", 1.0, "page faults without a disk"),
    "major_faults": ("task_major_faults", "times", 1.0, "page faults that read from a disk"),
    "cycles": ("cycles", "cycles", 1.0, "cycles of the processor"),
    "instructions": ("instructions", "instructions", 1.0, "instructions retired"),
    "cache_references": ("cache_references", "times", 1.0, "accesses to the last cache"),
    "cache_misses": ("cache_misses", "times", 1.0, "accesses that the last cache did not have"),
}
_HOW = "perf events, the tasks and what started them"
_FOR_MEMORY = {"cycles", "instructions", "cache_misses"}
# perf_event_open(2): what its errors mean.
_REASONS = {
    errno.EPERM: "whoever asked is not allowed to count",
    errno.ENOENT: "no counter here is for it: a processor without counters, as under emulation, or not this one",
    errno.EACCES: "whoever asked is not allowed to count (perf_event_paranoid)",
    errno.EBUSY: "somebody else has the counters for himself",
    errno.ENODEV: "the processor has no such counter",
    errno.EINVAL: "the kernel does not know it",
    errno.EMFILE: "too many files are open",
    errno.ENOSYS: "this kernel has no performance events (CONFIG_PERF_EVENTS)",
    errno.EOPNOTSUPP: "the processor does not have what it needs",
}


def counted_figures(counters: Sequence[Counter]) -> tuple[Figure, ...]:
    """Totals of a run, and ratios of those. What was not counted is left out, never zero."""
    return tuple(_figures({one.name: value for one in counters if (value := _whole(one)) is not None}))


def _whole(one: Counter) -> float | None:
    """What it would be if it had been counted all the time; None: never counted."""
    if one.value is None or (one.wanted_ns and not one.counted_ns):
        return None
    return one.value * one.wanted_ns / one.counted_ns if one.counted_ns else float(one.value)


def _figures(values: dict[str, float]) -> Iterator[Figure]:
    for name, value in values.items():
        called, unit, factor, meaning = _FIGURES[name]
        yield figure(called, value * factor, unit, f"{_HOW}: {meaning}")
    instructions = values.get("instructions")
    if not instructions:
        return
    if cycles := values.get("cycles"):
        yield figure("instructions_per_cycle", instructions / cycles, "ratio", f"{_HOW}: of the two")
    if "cache_misses" in values:
        missed = 1000 * values["cache_misses"] / instructions
        yield figure("misses_per_1000_instructions", missed, "times", f"{_HOW}: of the last cache")


def not_counted(counters: Sequence[Counter]) -> tuple[Missing, ...]:
    """What could not be counted, one entry for each reason with the kernel's error in words, and what follows."""
    reasons: dict[str, list[str]] = {}
    for one in counters:
        if _whole(one) is None:
            reasons.setdefault(_reason(one), []).append(one.name.removesuffix("_ns").replace("_", " "))
    found = [Missing(what=", ".join(names)[:200], reason=reason) for reason, names in reasons.items()]
    if not {one.name for one in counters if _whole(one) is not None} >= _FOR_MEMORY:
        found.append(Missing(what="class memory-bound", reason="without these it looks like computing"))
    return tuple(found)


def _reason(one: Counter) -> str:
    if one.value is not None:
        return "the processor has fewer counters than there are events, and never had one free for it"
    name = errno.errorcode.get(one.errno, f"error {one.errno}")
    return f"perf_event_open: {name}, {_REASONS.get(one.errno, 'the kernel refused')}"
