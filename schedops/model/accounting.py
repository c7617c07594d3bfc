"""What a kernel accounts for its machine and counts for tasks: a snapshot, and what is between two.

Said by a guest: untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Pressure stall information: time in us in which *some* or all (*full*) tasks waited for a resource."""

    some_us: int
    full_us: int


COUNTERS = (
    "task_clock_ns",
    "switches",
    "migrations",
    "minor_faults",
    "major_faults",
    "cycles",
    "instructions",
    "cache_references",
    "cache_misses",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A performance event of :data:`COUNTERS`, of the tasks that ran a workload and of what started them.

    :param value: None: not counted here, and *errno* (Linux) says why: perf_event_open(2).
    :param wanted_ns: time of tasks in which it should have been counted, *counted_ns* in which it was: less where there
        are more events than counters.
    """

    name: str
    value: int | None
    wanted_ns: int = 0
    counted_ns: int = 0
    errno: int = 0

    def since(self, before: Counter) -> Counter:
        """What was counted between *before* and this one. :raises ValueError: it went backwards."""
        if self.value is None or before.value is None:
            return Counter(name=self.name, value=None, errno=self.errno or before.errno)
        return Counter(
            name=self.name,
            value=_less(self.value, before.value),
            wanted_ns=_less(self.wanted_ns, before.wanted_ns),
            counted_ns=_less(self.counted_ns, before.counted_ns),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """Counters since the machine was booted. None: this kernel does not say.

    :param cpu_ms: user, nice, system, idle, iowait, irq, softirq, steal of all CPUs; resolution 1 / CONFIG_HZ or worse.
    :param run_ns: time of tasks on CPUs, *wait_ns* on run queues, of all CPUs (/proc/schedstat).
    :param counters: one of each of :data:`COUNTERS`, in that order; since they were first asked for.
    """

    now_ns: int
    cpu_ms: tuple[int, ...]
    context_switches: int
    forks: int
    page_faults: int
    major_faults: int
    counters: tuple[Counter, ...]
    run_ns: int | None = None
    wait_ns: int | None = None
    cpu_pressure: Pressure | None = None
    io_pressure: Pressure | None = None
    memory_pressure: Pressure | None = None

    def since(self, before: Accounting) -> Accounting:
        """What was counted between *before* and this one; *now_ns* is the time between them.

        :raises ValueError: a counter went backwards, so one of the two is not to be believed.
        """
        return Accounting(
            now_ns=_less(self.now_ns, before.now_ns),
            cpu_ms=tuple(_less(*pair) for pair in zip(self.cpu_ms, before.cpu_ms, strict=True)),
            context_switches=_less(self.context_switches, before.context_switches),
            forks=_less(self.forks, before.forks),
            page_faults=_less(self.page_faults, before.page_faults),
            major_faults=_less(self.major_faults, before.major_faults),
            counters=tuple(one.since(other) for one, other in zip(self.counters, before.counters, strict=True)),
            run_ns=_known(self.run_ns, before.run_ns),
            wait_ns=_known(self.wait_ns, before.wait_ns),
            cpu_pressure=_pressure(self.cpu_pressure, before.cpu_pressure),
            io_pressure=_pressure(self.io_pressure, before.io_pressure),
            memory_pressure=_pressure(self.memory_pressure, before.memory_pressure),
        )


def _less(after: int, before: int) -> int:
    if after < before:
        raise ValueError(f"a counter went back from {before} to {after}")
    return after - before


def _known(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else _less(after, before)


def _pressure(after: Pressure | None, before: Pressure | None) -> Pressure | None:
    if after is None or before is None:
        return None
    return Pressure(some_us=_less(after.some_us, before.some_us), full_us=_less(after.full_us, before.full_us))
