"""A run's result to the figures that are compared. The same functions read the simulator's results and a guest's.

Names: those of the workload's own metrics, and

- ``makespan_by_cpu``, ``mean_completion_by_cpu``: by the CPU time of all tasks / CPUs: the host's speed is out of it;
- ``utilisation``: CPU time of all tasks by CPUs x length, on both sides;
- ``NAME@CLASS``: of one class of tasks; ``share`` is its CPU time by that of all, ``slowdown`` the mean time from
  arrival to end by the mean CPU time.
"""

from __future__ import annotations

from collections.abc import Iterator

from schedops.model.simulation import SimResult, TaskResult
from schedops.sim.figures import label_figures, members_of
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import Planned

NS_PER_MS = 1e6
# Kept of every run beside what its workload compares; loop_ns, of what work is made of, is the guest's alone.
KEPT = ("utilisation", "requests_per_s", "cpu_ms", "length_ms", "switches", "loop_ns")


def values_of(run: Planned, result: SimResult) -> dict[str, float]:
    """Everything that this run shows, by name; what it did not show is left out.

    :raises Unavailable: the result cannot be one of this plan.
    """
    found = {one.metric: one.value for one in metrics_of_result(run, result)}
    return {**found, **dict(_of_all(run, result)), **dict(_of_classes(run, result))}


def _of_all(run: Planned, result: SimResult) -> Iterator[tuple[str, float]]:
    cpu_ns = sum(max(task.cpu_ns, 0) for task in result.tasks)
    cpus = len(run.machine.cpus)
    yield "cpu_ms", cpu_ns / NS_PER_MS
    yield "length_ms", result.end_ns / NS_PER_MS
    yield "switches", sum(max(task.switches, 0) for task in result.tasks)
    if result.end_ns:
        yield "utilisation", cpu_ns / cpus / result.end_ns
    times = _times(result.tasks)
    if times and cpu_ns:
        yield "mean_completion_by_cpu", sum(times) / len(times) * cpus / cpu_ns
        if len(times) == len(result.tasks):
            yield "makespan_by_cpu", max(task.completion_ns for task in result.tasks) * cpus / cpu_ns


def _of_classes(run: Planned, result: SimResult) -> Iterator[tuple[str, float]]:
    total_ns = sum(max(task.cpu_ns, 0) for task in result.tasks)
    for at, (label, members) in enumerate(zip(run.plan.labels, members_of(run.plan), strict=True)):
        for name, value in label_figures(result, at, members).items():
            yield f"{name}@{label}", value
        tasks = [result.tasks[member] for member in members]
        cpu_ns = sum(max(task.cpu_ns, 0) for task in tasks)
        if total_ns:
            yield f"share@{label}", cpu_ns / total_ns
        times = _times(tasks)
        if len(times) == len(tasks) and cpu_ns:
            yield f"slowdown@{label}", sum(times) / cpu_ns


def _times(tasks: list[TaskResult] | tuple[TaskResult, ...]) -> list[int]:
    # Arrival to end, of those that ended.
    return [task.completion_ns - task.arrival_ns for task in tasks if task.completion_ns >= 0 <= task.arrival_ns]
