"""The rules of the classes: which figure has to be where, in words; docs/profile.md is their page. Pure.

A rule is as sure as its weakest figure: 0 at *no*, 0.5 on the threshold half-way, 1 at *yes*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN = 0.6  # a figure that this tier does not have: enough to name the class, not to be sure of it


@dataclass(frozen=True, slots=True)
class Needs:
    """One figure of a rule.

    :param no: where it speaks against the class, *yes* where for it; *yes* below *no* means that less is better.
    :param words: what it says, with ``{}`` for the value.
    :param log: half-way between the two is their geometric mean.
    :param missing: how far it is fulfilled when the figure is not there; *absent* is what that says.
    """

    figure: str
    no: float
    yes: float
    words: str
    log: bool = False
    missing: float = 0.0
    absent: str = ""

    @property
    def threshold(self) -> float:
        """Where it is half fulfilled."""
        return math.sqrt(self.no * self.yes) if self.log else (self.no + self.yes) / 2

    def fulfilled(self, figures: Mapping[str, float]) -> float:
        """0 .. 1."""
        value = figures.get(self.figure)
        if value is None:
            return self.missing
        ends = (self.no, self.yes, max(value, 1e-9))
        no, yes, at = (math.log(one) for one in ends) if self.log else (self.no, self.yes, value)
        return min(1.0, max(0.0, (at - no) / (yes - no)))

    def said(self, figures: Mapping[str, float]) -> str:
        """Its words with the value, or which figure is missing."""
        value = figures.get(self.figure)
        if value is None:
            return self.absent or f"{self.figure} is not known"
        return self.words.format(value)


@dataclass(frozen=True, slots=True)
class Rule:
    """A class, and every figure that it needs. Several rules may name one class: the best one counts.

    :param beside: it says how the CPU time is spent, not what kind of work it is: said besides another class.
    """

    name: str
    needs: tuple[Needs, ...]
    beside: bool = False

    def score(self, figures: Mapping[str, float]) -> float:
        """0 .. 1: of the weakest figure."""
        return min(need.fulfilled(figures) for need in self.needs)


_ENDS = Needs("ended_share", 0.6, 0.9, "tasks that end use {:.0%} of the CPU time")
_GOES_ON = Needs("ended_share", 0.85, 0.6, "only {:.0%} of the CPU time is of tasks that end")
_WORK = Needs("work_cpu_share", 0.6, 0.85, "jobs, and what starts them, use {:.0%} of the CPU time")
_NO_WORK = Needs("work_cpu_share", 0.75, 0.5, "jobs use {:.0%} of the CPU time only")
_ONE_GROUP = Needs("groups", 2, 1, "groups of tasks in cgroups of their own: {:.0f}")
_ONE_STARTER = Needs("starters", 5, 2, "tasks that started others: {:.0f}")
_COMPUTES = Needs("parallelism", 0.2, 0.5, "the CPUs are {:.0%} busy with it")
_HANDED = Needs("served_cpu_share", 0.1, 0.4, "tasks that others wake use {:.0%} of the CPU time", missing=UNKNOWN)
_LONG_BURST = Needs("typical_burst_ms", 1, 4, "{:.2g} ms of work at a time", log=True, missing=UNKNOWN)
_SHORT_BURST = Needs("typical_burst_ms", 4, 1, "{:.2g} ms of work at a time only", log=True, missing=UNKNOWN)

RULES = (
    Rule(
        "saturating-groups",
        (
            Needs("groups", 1, 2, "{:.0f} groups in cgroups of their own"),
            Needs("saturating_groups", 0.25, 0.75, "{:.0%} of the groups have more work than CPUs"),
            _WORK,
            _ENDS,
        ),
    ),
    Rule(
        "uneven-batch",
        (
            Needs("longest_to_median", 1.6, 2.4, "the longest job takes {:.1f} times the median one"),
            _WORK,
            _ENDS,
            _ONE_STARTER,
            _ONE_GROUP,
        ),
    ),
    Rule(
        "even-batch",
        (
            Needs("longest_to_median", 2.4, 1.6, "the longest job takes {:.1f} times the median one"),
            Needs("tasks", 1, 3, "{:.0f} tasks"),
            _WORK,
            _ENDS,
            _ONE_STARTER,
            _ONE_GROUP,
        ),
    ),
    Rule(
        "build-graph",
        (Needs("starters", 2, 5, "{:.0f} tasks started others, which they waited for"), _WORK, _ENDS, _ONE_GROUP),
    ),
    Rule(
        "message-passing",
        (
            _SHORT_BURST,
            Needs("cpu_ms_per_wakeup", 60, 8, "{:.2g} ms of CPU time for each wake-up", log=True),
            _NO_WORK,
            _ENDS,
            _HANDED,
        ),
    ),
    Rule(
        "pipeline",
        (
            _LONG_BURST,
            Needs("cpu_ms_per_wakeup", 0.3, 2, "{:.2g} ms of CPU time for each wake-up", log=True),
            _NO_WORK,
            _ENDS,
            _HANDED,
        ),
    ),
    Rule(
        "request-response",
        (
            Needs("request_handed_over", 0.35, 0.65, "what reports requests is woken by other tasks {:.0%} of the time",
                  missing=UNKNOWN),
            Needs("requests_per_s", 0, 1, "{:.3g} requests/s are reported"),
            Needs("job_cpu_share", 0.6, 0.3, "jobs that come and go use {:.0%} of the CPU time"),
            _GOES_ON,
        ),
    ),
    Rule(
        "request-response",
        (
            Needs("request_cpu_share", 0.2, 0.45, "what reports requests uses {:.0%} of the CPU time"),
            Needs("job_cpu_share", 0.5, 0.25, "jobs that come and go use {:.0%}"),
            Needs("requests_per_s", 0, 1, "{:.3g} requests/s are reported"),
            _GOES_ON,
        ),
    ),
    Rule(
        "latency-critical",
        (
            Needs("timer_wakeup_share", 0.15, 0.35, "{:.0%} of the wake-ups are by timers or devices", missing=UNKNOWN),
            Needs("timed_burst_ms", 10, 3, "{:.2g} ms of work each time", log=True, missing=UNKNOWN),
            Needs("job_cpu_share", 0.3, 0.1, "jobs that come and go use {:.0%} of the CPU time"),
            Needs("request_cpu_share", 0.2, 0.05, "what reports requests uses {:.0%}", missing=1.0,
                  absent="no requests are reported"),
            Needs("hog_cpu_share", 0.99, 0.95, "tasks that never sleep use {:.0%} of the CPU time"),
            _GOES_ON,
        ),
    ),
    Rule(
        "io-bound",
        (
            Needs("io_pressure", 0.25, 0.5, "some task waits for input or output {:.0%} of the time"),
            # Without it, it is pages that wait for a CPU: of somebody who holds their lock.
            Needs("iowait_share", 0.02, 0.15, "CPUs are idle for {:.0%} of the time while a task waits for a disk"),
            Needs("parallelism", 0.8, 0.5, "the CPUs are {:.0%} busy"),
        ),
    ),
    Rule(
        "cpu-bound", (Needs("hog_cpu_share", 0.9, 0.99, "tasks that never sleep use {:.0%} of the CPU time"), _GOES_ON)
    ),
    Rule(
        "memory-bound",
        (
            Needs("misses_per_1000_instructions", 3, 20, "{:.3g} of 1000 instructions miss the last cache", log=True),
            Needs("instructions_per_cycle", 1.2, 0.6, "{:.2g} instructions for each cycle"),
            _COMPUTES,
        ),
        beside=True,
    ),
    Rule("idle", (Needs("parallelism", 0.12, 0.08, "the tasks use {:.0%} of the CPUs' time"),)),
)  # fmt: skip
