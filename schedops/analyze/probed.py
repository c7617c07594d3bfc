"""What the probes counted, as figures, and who wakes whom. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from schedops.analyze.figure import figure
from schedops.model.probe import ProbedClass, ProbeReading, probe_bucket_bounds
from schedops.model.profile import Figure, Wakes

Counts = Sequence[tuple[int, int]]


def probed_figures(found: ProbeReading, cpus: int) -> tuple[Figure, ...]:
    """The figures of all classes together. What nothing was counted for is left out, never zero."""
    classes = found.classes
    seconds = found.duration_ns / 1e9
    run, wait = (sum(getattr(one, name) for one in classes) for name in ("run_ns", "wait_ns"))
    life = run + wait + sum(one.sleep_ns + one.blocked_ns for one in classes)
    switches = sum(one.switches for one in classes)
    figures = [
        _figure(
            "probed_parallelism", run / found.duration_ns / cpus, "share", "time of tasks on CPUs, by time and CPUs"
        ),
        _figure("queue_length_mean", wait / found.duration_ns, "tasks", "time of tasks waiting for a CPU, by time"),
        _figure("switches_per_s", switches / seconds, "1/s", "tasks put on a CPU"),
        _figure("forks_per_s", sum(one.forks for one in classes) / seconds, "1/s", "processes and threads made"),
        _figure("execs_per_s", sum(one.execs for one in classes) / seconds, "1/s", "programs started"),
    ]
    if life:
        figures += [
            _figure("wait_share", wait / life, "share", "runnable without running, of the tasks' life"),
            _figure("sleep_share", sum(one.sleep_ns for one in classes) / life, "share", "sleeping, of their life"),
            _figure(
                "uninterruptible_share", sum(one.blocked_ns for one in classes) / life, "share", "blocked in the kernel"
            ),
        ]
    if switches:
        moved = sum(one.migrations for one in classes)
        figures.append(_figure("migrations_per_switch", moved / switches, "ratio", "put on another CPU than before"))
    figures += _wakeups(found, seconds)
    figures += _quantiles("queue_wait", merged(one.latency for one in classes), "runnable to running")
    figures += _quantiles("burst", merged(one.burst for one in classes), "CPU time between two sleeps")
    return tuple(figures)


def _wakeups(found: ProbeReading, seconds: float) -> list[Figure]:
    total = sum(one.wakeups for one in found.classes)
    if not total:
        return []
    timers = found.timer_wakeups / total
    return [
        _figure("probed_wakeups_per_s", total / seconds, "1/s", "tasks made runnable"),
        _figure("timer_wakeup_share", min(1.0, timers), "share", "wake-ups out of interrupts: timers, devices"),
    ]


def _quantiles(name: str, counts: Counts, meaning: str) -> list[Figure]:
    found = [(label, quantile_ns(counts, share)) for label, share in (("p50", 0.5), ("p99", 0.99))]
    return [_figure(f"{name}_{label}_us", ns / 1000, "us", meaning) for label, ns in found if ns is not None]


def _figure(name: str, value: float, unit: str, meaning: str) -> Figure:
    return figure(name, value, unit, f"probes: {meaning}")


def merged(histograms: Iterable[Counts]) -> Counts:
    """The counts of all together, by bucket."""
    total: dict[int, int] = {}
    for counts in histograms:
        for bucket, count in counts:
            total[bucket] = total.get(bucket, 0) + count
    return tuple(sorted(total.items()))


def quantile_ns(counts: Counts, share: float) -> float | None:
    """Middle of the bucket in which *share* (0 .. 1) of the values is reached; None without values.

    The buckets are a quarter of a power of two wide: the true value is within 12 % of it.
    """
    total = sum(count for _, count in counts)
    if not total:
        return None
    below = 0
    for bucket, count in counts:
        below += count
        if below >= share * total:
            low, high = probe_bucket_bounds(bucket)
            return (low + high) / 2
    raise AssertionError("the shares of all buckets are 1")


def wake_graph(
    found: ProbeReading, most: int = 12, called: Callable[[str], str] = lambda name: name
) -> tuple[Wakes, ...]:
    """Who wakes whom, most often first; at most *most* of them.

    :param called: what people call the class of a comm.
    """
    total = sum(one.wakeups for one in found.classes)
    edges = [
        Wakes(
            waker=called(one.name),
            woken=called(found.classes[woken].name),
            times=times,
            share=min(1.0, times / total) if total else 0.0,
        )
        for one in found.classes
        for woken, times in one.wakes
    ]
    return tuple(sorted(edges, key=lambda edge: (-edge.times, edge.waker, edge.woken))[:most])


def busiest(found: ProbeReading, most: int = 12) -> tuple[ProbedClass, ...]:
    """The classes with most CPU time first; at most *most* of them."""
    return tuple(sorted(found.classes, key=lambda one: (-one.run_ns, one.name))[:most])
