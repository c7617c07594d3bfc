"""Every figure of one run, from its plan and its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schedops.model.simulation import SimPlan, SimResult, TaskResult
from schedops.sim.programs.histogram import count_of, merged, quantile_ns
from schedops.stats.summary import mean, quantile

NS_PER_MS, NS_PER_US, NS_PER_S = 1e6, 1e3, 1e9
LOWER, HIGHER, NEITHER = "lower", "higher", ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """:param better: lower | higher | empty when neither is."""

    unit: str
    better: str
    text: str


# The order is the order of tables.
FIGURES: dict[str, Meaning] = {
    "makespan_ms": Meaning("ms", LOWER, "start of the run to the end of the last task"),
    "mean_completion_ms": Meaning("ms", LOWER, "arrival to end, mean over tasks that ended"),
    "tasks_per_s": Meaning("1/s", HIGHER, "tasks that ended, per second of simulated time"),
    "requests_per_s": Meaning("1/s", HIGHER, "requests that ended, per second of simulated time"),
    "request_p50_us": Meaning("us", LOWER, "request begin to end, median"),
    "request_p99_us": Meaning("us", LOWER, "request begin to end, 99 %"),
    "request_p999_us": Meaning("us", LOWER, "request begin to end, 99.9 %"),
    "wakeup_p50_us": Meaning("us", LOWER, "wake-up to running, median"),
    "wakeup_p99_us": Meaning("us", LOWER, "wake-up to running, 99 %"),
    "wakeup_p999_us": Meaning("us", LOWER, "wake-up to running, 99.9 %"),
    "wait_p50_ms": Meaning("ms", LOWER, "runnable and not running in all, median over tasks"),
    "wait_p99_ms": Meaning("ms", LOWER, "runnable and not running in all, 99 % over tasks"),
    "longest_wait_ms": Meaning("ms", LOWER, "runnable and not running without a break, the longest"),
    "fairness": Meaning("ratio", HIGHER, "Jain's index over tasks of CPU time by the time they wanted one"),
    "cpu_time_ms": Meaning("ms", LOWER, "busy time of all CPUs, switches and migrations included"),
    "utilisation": Meaning("ratio", NEITHER, "busy time of all CPUs by wall time"),
    "idle_while_waiting": Meaning(
        "ratio", LOWER, "time that CPUs idled while a task waited that may run there, by wall time"
    ),
    "context_switches": Meaning("count", LOWER, "times a task was put on a CPU"),
    "preemptions": Meaning("count", NEITHER, "times a task left a CPU while it could have gone on"),
    "migrations": Meaning("count", LOWER, "runs on another CPU than the one before"),
    "far_migrations": Meaning("count", LOWER, "of these, across last-level caches or nodes"),
}


def figures(plan: SimPlan, result: SimResult) -> dict[str, float]:
    """Name -> value, for all of :data:`FIGURES` that this run has; what it does not have is left out, never zero."""
    everybody = range(len(result.tasks))
    wall = sum(cpu.busy_ns + cpu.idle_ns for cpu in result.cpus)
    found = dict(_of_tasks(result, everybody))
    found.update(_of_labels(result, range(len(plan.labels))))
    ends = [task.completion_ns for task in result.tasks if task.arrival_ns >= 0]
    if ends and min(ends) >= 0:
        found["makespan_ms"] = max(ends) / NS_PER_MS
    if wall:
        found["cpu_time_ms"] = sum(cpu.busy_ns for cpu in result.cpus) / NS_PER_MS
        found["utilisation"] = sum(cpu.busy_ns for cpu in result.cpus) / wall
        if all(cpu.idle_waste_ns >= 0 for cpu in result.cpus):  # a kernel does not show it
            found["idle_while_waiting"] = sum(cpu.idle_waste_ns for cpu in result.cpus) / wall
    return {name: found[name] for name in FIGURES if name in found}


def members_of(plan: SimPlan) -> tuple[tuple[int, ...], ...]:
    """Tasks of each label."""
    members: list[list[int]] = [[] for _ in plan.labels]
    for at, task in enumerate(plan.tasks):
        members[task.label].append(at)
    return tuple(map(tuple, members))


def label_figures(result: SimResult, label: int, members: Sequence[int]) -> dict[str, float]:
    """As :func:`figures`, of the tasks of one label."""
    found = dict(_of_tasks(result, members))
    found.update(_of_labels(result, [label]))
    found["cpu_time_ms"] = sum(result.tasks[at].cpu_ns for at in members) / NS_PER_MS
    return {name: found[name] for name in FIGURES if name in found}


def jain(shares: Sequence[float]) -> float | None:
    """1: all equal; 1 / n: one has it all. Source: Jain, Chiu & Hawe 1984. None without a share above 0."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else None


def _of_tasks(result: SimResult, members: Sequence[int]) -> Iterator[tuple[str, float]]:
    came = [result.tasks[at] for at in members if result.tasks[at].arrival_ns >= 0]
    times = [task.completion_ns - task.arrival_ns for task in came if task.completion_ns >= 0]
    if times:
        yield "mean_completion_ms", mean(times) / NS_PER_MS
        if result.end_ns:
            yield "tasks_per_s", len(times) * NS_PER_S / result.end_ns
    if came:
        waits = [task.wait_ns / NS_PER_MS for task in came]
        yield "wait_p50_ms", quantile(waits, 0.5)
        yield "wait_p99_ms", quantile(waits, 0.99)
        if all(task.max_wait_ns >= 0 for task in came):
            yield "longest_wait_ms", max(task.max_wait_ns for task in came) / NS_PER_MS
    fairness = jain([_share(task) for task in came if task.cpu_ns + task.wait_ns > 0])
    if fairness is not None:
        yield "fairness", fairness
    yield "context_switches", sum(task.switches for task in came)
    yield "preemptions", sum(task.preemptions for task in came)
    yield "migrations", sum(sum(task.migrations) for task in came)
    yield "far_migrations", sum(task.migrations[1] + task.migrations[2] for task in came)


def _share(task: TaskResult) -> float:
    return task.cpu_ns / (task.cpu_ns + task.wait_ns)


def _of_labels(result: SimResult, labels: Sequence[int]) -> Iterator[tuple[str, float]]:
    wakeups = merged(result.labels[label].wakeup for label in labels)
    requests = merged(result.labels[label].request for label in labels)
    if count_of(requests) and result.end_ns:
        yield "requests_per_s", count_of(requests) * NS_PER_S / result.end_ns
    for name, histogram in (("request", requests), ("wakeup", wakeups)):
        for word, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
            value = quantile_ns(histogram, share)
            if value is not None:
                yield f"{name}_{word}_us", value / NS_PER_US
