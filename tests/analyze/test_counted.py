"""Performance events: totals, what was not counted and why; and the class that they tell."""

from __future__ import annotations

import errno

import pytest

from schedops.analyze.counted import counted_figures, not_counted
from schedops.analyze.judge import judge
from schedops.model.accounting import COUNTERS, Counter
from schedops.model.profile import Figure

VALUES = {"cycles": 4_000_000, "instructions": 2_000_000, "cache_references": 90_000, "cache_misses": 60_000}


def counted(**values):
    return tuple(
        Counter(name=name, value=(VALUES | values).get(name, 7), wanted_ns=1000, counted_ns=1000) for name in COUNTERS
    )


def refused(error, *names):
    return tuple(
        Counter(name=one.name, value=None, errno=error) if one.name in names else one for one in counted()
    )  # fmt: skip


def values_of(counters):
    return {one.name: one.value for one in counted_figures(counters)}


def test_totals_and_their_ratios():
    found = {one.name: (one.value, one.unit) for one in counted_figures(counted(task_clock_ns=3_000_000))}
    assert found["task_clock_ms"] == (3.0, "ms")
    assert found["cycles"] == (4e6, "cycles")
    assert found["instructions_per_cycle"] == (0.5, "ratio")
    assert found["misses_per_1000_instructions"] == (30, "times")
    assert not not_counted(counted())


def test_what_was_counted_half_of_the_time_is_twice_as_much():
    half = Counter(name="cycles", value=10, wanted_ns=1000, counted_ns=500)
    assert values_of([half]) == {"cycles": 20}


def test_what_was_not_counted_is_missing_with_its_error_and_never_zero():
    none = refused(errno.ENOENT, *VALUES)
    assert not set(values_of(none)) & {*VALUES, "instructions_per_cycle", "misses_per_1000_instructions"}
    assert [(one.what, one.reason[:23]) for one in not_counted(none)] == [
        ("cycles, instructions, cache references, cache misses", "perf_event_open: ENOENT"),
        ("class memory-bound", "without these it looks "),
    ]
    never = [Counter(name="cycles", value=0, wanted_ns=1000, counted_ns=0)]
    assert values_of(never) == {}
    assert "never had one free" in not_counted(never)[0].reason
    assert "error 4000, the kernel refused" in not_counted(refused(4000, "switches"))[0].reason


def test_nothing_ran_is_a_zero_that_was_counted():
    assert values_of([Counter(name="switches", value=0)]) == {"task_switches": 0}


@pytest.mark.parametrize(
    ("cycles", "misses", "said"),
    [(4e6, 60_000, True), (4e6, 2_000, False), (1e6, 60_000, False), (None, 60_000, False)],
)
def test_memory_bound_needs_misses_and_waiting(cycles, misses, said):
    counters = [one for one in counted(cycles=cycles, cache_misses=misses) if one.value is not None]
    kind = {"parallelism": 0.9, "blocked_share": 0.5, "cpu_ms_per_wakeup": 9, "hog_cpu_share": 1.0, "ended_share": 0.0}
    plain = [Figure(name=name, value=value, unit="", how="") for name, value in kind.items()]
    found = [one.name for one in judge([*plain, *counted_figures(counters)])]
    assert found == ["cpu-bound", *["memory-bound"] * said]
