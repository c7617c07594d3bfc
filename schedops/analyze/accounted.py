"""What the kernel accounts for its whole machine during a run, as figures; and what is not there. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from schedops.analyze.figure import figure
from schedops.model.accounting import Accounting, Pressure
from schedops.model.profile import Figure, Missing

_TIMES = (  # figure, place in Accounting.cpu_ms, meaning
    ("idle_share", 3, "idle"),
    ("iowait_share", 4, "idle while a task waits for a disk"),
    ("stolen_share", 7, "taken by the host"),
)
_PRESSURE = {"cpu": "a CPU", "io": "input or output", "memory": "memory"}


def accounted_figures(spent: Accounting) -> tuple[Figure, ...]:
    """Figures of the time between two snapshots. What this kernel does not say is left out, never zero.

    :param spent: of :meth:`schedops.model.accounting.Accounting.since`.
    """
    return tuple(_figures(spent))


def _figures(spent: Accounting) -> Iterator[Figure]:
    seconds, ticks = max(1, spent.now_ns) / 1e9, sum(spent.cpu_ms)
    if ticks:
        for name, place, what in _TIMES:
            yield figure(name, spent.cpu_ms[place] / ticks, "share", f"/proc/stat: of all CPUs' time {what}")
    for name, pressure in _pressures(spent):
        if pressure is not None:
            how = f"/proc/pressure/{name}: time in which some task waited for {_PRESSURE[name]}"
            yield figure(f"{name}_pressure", min(1.0, pressure.some_us * 1000 / max(1, spent.now_ns)), "share", how)
    if spent.run_ns is not None and spent.wait_ns is not None:
        yield figure("running_mean", spent.run_ns / max(1, spent.now_ns), "tasks", "/proc/schedstat: on CPUs")
        yield figure("waiting_mean", spent.wait_ns / max(1, spent.now_ns), "tasks", "/proc/schedstat: on run queues")
    yield figure("context_switches_per_s", spent.context_switches / seconds, "1/s", "/proc/stat, whole machine")
    yield figure("processes_per_s", spent.forks / seconds, "1/s", "/proc/stat: processes and threads made")
    yield figure("page_faults_per_s", spent.page_faults / seconds, "1/s", "/proc/vmstat")
    yield figure("major_faults_per_s", spent.major_faults / seconds, "1/s", "/proc/vmstat: from a disk")


def missing_of(spent: Accounting) -> tuple[Missing, ...]:
    """What a run with accounting does not show here, and why."""
    found = [
        Missing(what=f"{name}_pressure", reason="this kernel has no pressure stall information (CONFIG_PSI)")
        for name, pressure in _pressures(spent)
        if pressure is None
    ]
    if spent.run_ns is None or spent.wait_ns is None:
        found.append(Missing(what="waiting_mean", reason="this kernel has no /proc/schedstat (CONFIG_SCHEDSTATS)"))
    return tuple(found)


def _pressures(spent: Accounting) -> tuple[tuple[str, Pressure | None], ...]:
    return (("cpu", spent.cpu_pressure), ("io", spent.io_pressure), ("memory", spent.memory_pressure))
