"""What the probes on the kernel's scheduler have counted: said by a guest, and untrusted."""

from __future__ import annotations

from dataclasses import dataclass

# Buckets of the probes' histograms: four per power of two of nanoseconds, as schedops/probes/sched.bpf.c counts them.
PROBE_BUCKETS = 256


def probe_bucket_bounds(bucket: int) -> tuple[int, int]:
    """Lowest value of a bucket in ns, and the lowest of the next one.

    :param bucket: 0 .. 255.
    """
    if bucket < 4:
        return bucket, bucket + 1
    shift = bucket // 4 - 1
    low = (4 + bucket % 4) << shift
    return low, low + (1 << shift)


def probe_bucket(ns: int) -> int:
    """The bucket of a time, 0 or more."""
    if ns < 4:
        return ns
    shift = ns.bit_length() - 1
    return min(PROBE_BUCKETS - 1, (shift - 1) << 2 | (ns >> (shift - 2)) & 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedClass:
    """All tasks of one name (comm).

    :param sleep_ns: off the CPUs in an interruptible sleep; *blocked_ns* in one that is not (disk, kernel locks).
    :param switches: times one of them was put on a CPU; *preemptions*: left it while it could have gone on.
    :param latency: (bucket, count) of the time from runnable to running; *burst* of the CPU time between two sleeps.
    :param wakes: (class that was woken, times): by a task of this class, not by an interrupt in its time.
    """

    name: str
    run_ns: int
    wait_ns: int
    sleep_ns: int
    blocked_ns: int
    switches: int
    preemptions: int
    wakeups: int
    migrations: int
    forks: int
    execs: int
    exits: int
    latency: tuple[tuple[int, int], ...]
    burst: tuple[tuple[int, int], ...]
    wakes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedSlot:
    """One slot of time: CPU time of all tasks, time they waited for a CPU, longest wait that ended in it; ns."""

    run_ns: int
    wait_ns: int
    latency_max_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReading:
    """:param timer_wakeups: wake-ups by interrupts: timers, devices.

    :param lost: events that found no room; above 0 the classes are not complete.
    :param slots: at most 512, the first begins with the probes; later time is in the classes only.
    """

    duration_ns: int
    slot_ns: int
    timer_wakeups: int
    lost: int
    classes: tuple[ProbedClass, ...]
    slots: tuple[ProbedSlot, ...]
