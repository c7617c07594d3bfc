"""The result of a planned run to the metrics of its workload."""

from __future__ import annotations

from statistics import fmean

from schedops.model.machine import FULL_CAPACITY
from schedops.model.measurements import MetricValue
from schedops.model.simulation import SimResult
from schedops.sim.programs.histogram import count_of, merged, quantile_ns
from schedops.sim.programs.jobs import reading_of
from schedops.sim.programs.plan import Planned
from schedops.workloads.metrics import metrics_of
from schedops.workloads.tables import metric_table

_QUANTILES = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))
# The labels whose wake-ups and requests count; of other kinds every label counts.
_COUNTED = {"requests": ("worker",)}


def metrics_of_result(run: Planned, result: SimResult) -> tuple[MetricValue, ...]:
    """All metrics of one run, in the order of :func:`schedops.workloads.tables.metric_table`.

    Of builds and batches they are computed as from a guest's reading, by the same functions. What the run did not show
    (no request ended, a task is left) is not among them. Only runs whose end is ``done`` mean anything.

    :raises Unavailable: ``bad-reading``: the result cannot be one of this plan.
    """
    if run.jobs is not None:
        jobs, setup = run.jobs
        return metrics_of(run.workload, jobs, reading_of(jobs, setup, result))
    found = _found(run, result)
    table = metric_table(run.workload)
    return tuple(MetricValue(metric=name, unit=table[name][0], value=found[name]) for name in table if name in found)


def _found(run: Planned, result: SimResult) -> dict[str, float]:
    return {**_makespan(run, result), **_latencies(run, result), **_machine(result)}


def _makespan(run: Planned, result: SimResult) -> dict[str, float]:
    arrived = [task for task in result.tasks if task.arrival_ns >= 0]
    done = [task for task in arrived if task.completion_ns >= 0]
    found = {}
    if done:
        found["mean_completion_ms"] = fmean(task.completion_ns - task.arrival_ns for task in done) / 1e6
    if not done or len(done) < len(arrived):
        return found
    makespan_ns = max(task.completion_ns for task in done)
    found["makespan_ms"] = makespan_ns / 1e6
    if run.extent.work_ns and makespan_ns:
        found["makespan_per_floor"] = makespan_ns / _floor_ns(run)
    if run.extent.messages and makespan_ns:
        found["messages_per_s"] = run.extent.messages * 1e9 / makespan_ns
    return found


def _floor_ns(run: Planned) -> float:
    speeds = [cpu.capacity / FULL_CAPACITY for cpu in run.machine.cpus]
    return max(run.extent.chain_ns / max(speeds), run.extent.work_ns / sum(speeds))


def _latencies(run: Planned, result: SimResult) -> dict[str, float]:
    names = _COUNTED.get(run.workload.model_kind, run.plan.labels)
    counted = [label for name, label in zip(run.plan.labels, result.labels, strict=True) if name in names]
    wakeups, requests = merged(one.wakeup for one in counted), merged(one.request for one in counted)
    found = {}
    for kind, histogram in (("request", requests), ("wakeup", wakeups)):
        for name, share in _QUANTILES:
            value = quantile_ns(histogram, share)
            if value is not None:
                found[f"{kind}_{name}_us"] = value / 1000
    if result.end_ns and requests.counts:
        found["requests_per_s"] = count_of(requests) * 1e9 / result.end_ns
    return found


def _machine(result: SimResult) -> dict[str, float]:
    if not result.cpus:  # a kernel that does not say
        return {}
    busy_ns = sum(cpu.busy_ns for cpu in result.cpus)
    wall_ns = sum(cpu.busy_ns + cpu.idle_ns for cpu in result.cpus)
    found = {"machine_cpu_ms": busy_ns / 1e6}
    return {**found, "utilisation": busy_ns / wall_ns} if wall_ns else found
