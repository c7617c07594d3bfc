"""What node_exporter (1.5) tells Prometheus of a host, as the figures of a profile. Pure: queries out, answers in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

from schedops.analyze.bottleneck import SATURATED
from schedops.analyze.figure import figure
from schedops.model.profile import Bottleneck, Figure, Missing
from schedops.model.series import Series
from schedops.stats.summary import quantiles

STALE_S = 180.0  # three scrapes of the slowest usual interval
INSTANCES = "count by (instance) (node_cpu_seconds_total)"
STEPS = 60  # of the window, for what changes over time
_LEAST_POINTS = 0.5  # of the steps
# figure: (metric, unit, meaning); rates over the window, summed over CPUs.
_RATES = {
    "cpu_pressure": ("node_pressure_cpu_waiting_seconds_total", "share", "time in which some task waited for a CPU"),
    "io_pressure": ("node_pressure_io_waiting_seconds_total", "share", "time in which some task waited for a device"),
    "memory_pressure": ("node_pressure_memory_waiting_seconds_total", "share", "time in which some waited for memory"),
    "running_mean": ("node_schedstat_running_seconds_total", "tasks", "tasks on CPUs"),
    "waiting_mean": ("node_schedstat_waiting_seconds_total", "tasks", "tasks on run queues"),
    "context_switches_per_s": ("node_context_switches_total", "1/s", "whole machine"),
    "processes_per_s": ("node_forks_total", "1/s", "processes and threads made"),
    "page_faults_per_s": ("node_vmstat_pgfault", "1/s", "whole machine"),
    "major_faults_per_s": ("node_vmstat_pgmajfault", "1/s", "from a disk"),
}
_OTHERS = {  # for figures that are made of two
    "stints": "node_schedstat_timeslices_total",
    "cycles": "node_perf_cpucycles_total",
    "instructions": "node_perf_instructions_total",
    "misses": "node_perf_cache_misses_total",
}
_NOT_THERE = "tasks and their roles, groups, wake-ups by whom, histograms, requests"


def selector(instance: str) -> str:
    """Of one exporter, in PromQL, whose strings are quoted like JSON's."""
    return f"{{instance={json.dumps(instance)}}}"


def queries(instance: str, minutes: int) -> dict[str, str]:
    """What is asked once, by name. A host that is scraped twice counts once: hence the maxima."""
    chosen, window = selector(instance), f"[{minutes}m]"
    cpu = f"node_cpu_seconds_total{chosen}"
    rates = {name: metric for name, (metric, _, _) in _RATES.items()} | _OTHERS
    return {
        "age": f"time() - max(timestamp({cpu}))",
        "cpus": f"count(count by (cpu) ({cpu}))",
        "modes": f"sum by (mode) (max by (cpu, mode) (rate({cpu}{window})))",
        **{name: f"sum(max by (cpu) (rate({metric}{chosen}{window})))" for name, metric in rates.items()},
    }


def busy_over_time(instance: str, step_s: float) -> str:
    """What is asked for each step; a rate needs several samples, so it looks back further than a step."""
    modes = '{mode=~"idle|iowait|steal",instance=' + json.dumps(instance) + "}"
    back = max(60, round(4 * step_s))
    return (
        f"1 - sum(max by (cpu, mode) (rate(node_cpu_seconds_total{modes}[{back}s])))"
        f" / count(count by (cpu) (node_cpu_seconds_total{modes}))"
    )


def value(answer: Sequence[Series]) -> float | None:
    """The only value; None: no data, or no number."""
    return answer[0].points[-1][1] if len(answer) == 1 and answer[0].points else None


def observed_figures(
    answers: Mapping[str, Sequence[Series]], busy: Sequence[Series], minutes: int
) -> tuple[Figure, ...]:
    """Figures of what was answered. What was not is left out, never zero.

    :param busy: of :func:`busy_over_time`.
    """
    found = _figures(answers, busy, f"Prometheus, {minutes} min")
    # Each value is finite, what is made of two need not be.
    return tuple(one for one in found if math.isfinite(one.value))


def _figures(answers: Mapping[str, Sequence[Series]], busy: Sequence[Series], how: str) -> Iterator[Figure]:
    found = {name: value(answers[name]) for name in (*_RATES, *_OTHERS)}
    yield from _modes(answers["modes"], how)
    for name, (metric, unit, meaning) in _RATES.items():
        now = found[name]
        if now is not None:
            most = min(1.0, now) if unit == "share" else now
            yield figure(name, max(0.0, most), unit, f"{how}, {metric}: {meaning}")
    stints, waiting = found["stints"], found["waiting_mean"]
    if stints and waiting is not None:
        yield figure("queue_wait_mean_us", 1e6 * waiting / stints, "us", f"{how}, schedstat: of each stint on a CPU")
    instructions, cycles, misses = (found[name] for name in ("instructions", "cycles", "misses"))
    if instructions and cycles:
        yield figure("instructions_per_cycle", instructions / cycles, "ratio", f"{how}, node_perf: of the two")
    if instructions and misses is not None:
        yield figure(
            "misses_per_1000_instructions", 1000 * misses / instructions, "times", f"{how}, node_perf: last cache"
        )
    points = _points(busy)
    if enough(busy):
        for name, share in (("parallelism_p50", 0.5), ("parallelism_p95", 0.95), ("parallelism_max", 1.0)):
            yield figure(name, quantiles(points, (share,))[0], "share", f"{how}, in {len(points)} of {STEPS + 1} steps")


def _modes(answer: Sequence[Series], how: str) -> Iterator[Figure]:
    modes = {dict(one.labels).get("mode", ""): one.points[-1][1] for one in answer if one.points}
    total = sum(modes.values())
    if not total:
        return
    idle, iowait, steal = (modes.get(name, 0.0) / total for name in ("idle", "iowait", "steal"))
    meaning = f"{how}, node_cpu_seconds_total: of all CPUs' time"
    yield figure("parallelism", max(0.0, 1 - idle - iowait - steal), "share", f"{meaning} something runs")
    yield figure("idle_share", idle, "share", f"{meaning} idle")
    if "iowait" in modes:
        yield figure("iowait_share", iowait, "share", f"{meaning} idle while a task waits for a disk")
    if "steal" in modes:
        yield figure("stolen_share", steal, "share", f"{meaning} taken by the host")


def _points(busy: Sequence[Series]) -> list[float]:
    return [min(1.0, max(0.0, share)) for one in busy for _, share in one.points]


def enough(busy: Sequence[Series]) -> bool:
    """Whether the steps that were answered say something of the window."""
    return len(_points(busy)) >= _LEAST_POINTS * (STEPS + 1)


def not_observed(figures: Sequence[Figure], busy: Sequence[Series]) -> tuple[Missing, ...]:
    """What is not there, and why."""
    known = {one.name for one in figures}
    gone = [
        Missing(what=name, reason=f"no data: Prometheus has no {metric} of this host in that time")
        for name, (metric, _, _) in _RATES.items()
        if name not in known
    ]
    if "instructions_per_cycle" not in known:
        gone.append(
            Missing(what="cycles, instructions, cache misses", reason="no data: node_exporter's collector perf")
        )
    if not enough(busy):
        reason = f"there are {len(_points(busy))} of {STEPS + 1} steps: gaps, or it is not there for that long"
        gone.append(Missing(what="parallelism_p95", reason=reason))
    return (*gone, Missing(what=_NOT_THERE, reason="a host's metrics do not tell its tasks apart"))


def observed_bottleneck(figures: Sequence[Figure]) -> Bottleneck | None:
    """Only what needs no task to be seen: CPUs that are busy all the time."""
    values = {one.name: one.value for one in figures}
    busy = values.get("parallelism", 0.0)
    if busy < SATURATED:
        return None
    pressure = values.get("cpu_pressure")
    waits = "" if pressure is None else f", and some task waits for one {pressure:.0%} of the time"
    return Bottleneck(name="cpu-saturated", because=f"the CPUs are {busy:.0%} busy{waits}")


def observed_words(name: str, figures: Sequence[Figure], *, told: bool) -> str:
    """What there is to say without a class, in a sentence or two."""
    values = {one.name: one.value for one in figures}
    parts = [f"the CPUs are {values['parallelism']:.0%} busy"] if "parallelism" in values else []
    if "cpu_pressure" in values:
        parts.append(f"some task waits for a CPU {values['cpu_pressure']:.0%} of the time")
    if "queue_wait_mean_us" in values:
        parts.append(f"for {values['queue_wait_mean_us']:.3g} us each time on average")
    if "io_pressure" in values:
        parts.append(f"for a device {values['io_pressure']:.0%} of the time")
    if not parts:
        parts = ["nothing is known but how many CPUs it has"]
    kind = "" if told else " Which kind of workload that is, metrics of a host do not tell: a recording or a run does."
    return f"{name}: {', '.join(parts)}.{kind}"
