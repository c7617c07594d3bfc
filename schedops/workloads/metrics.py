"""The readings of one run of jobs to the metrics that objectives and guards speak of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from schedops.model.jobs import JobPlan, RunReading
from schedops.model.measurements import MetricValue
from schedops.model.workload import BatchModel, Workload
from schedops.workloads.expand import short_count
from schedops.workloads.floor import checked, floor_us
from schedops.workloads.tables import metric_table


def metrics_of(workload: Workload, plan: JobPlan, reading: RunReading) -> tuple[MetricValue, ...]:
    """All metrics of one run, in the order of :func:`metric_table`. "Per floor" is :func:`floor_us` of the same run.

    What could not be measured is left out, never zero.

    :raises Unavailable: ``bad-reading`` when the reading cannot be one of this plan.
    """
    checked(plan, reading)
    values = _batch(workload.batch, plan, reading) if workload.batch is not None else _builds(plan, reading)
    table = metric_table(workload)
    return tuple(MetricValue(metric=name, unit=table[name][0], value=values[name]) for name in table if name in values)


def _builds(plan: JobPlan, reading: RunReading) -> dict[str, float]:
    floor = floor_us(plan, reading, plan.cpus)
    ends = _per_group(plan, reading.end_us, max)
    cpus = _per_group(plan, reading.cpu_us, sum)
    times = [end - group.arrival_us for end, group in zip(ends, plan.groups, strict=True)]
    done = max(reading.end_us)
    return {
        "mean_build_time_per_floor": fmean(times) / floor,
        "mean_build_time_ms": fmean(times) / 1000,
        "all_done_per_floor": done / floor,
        "all_done_ms": done / 1000,
        # A build of which no CPU time could be measured at all counts as one clock tick of a microsecond.
        "worst_slowdown": max(time / max(cpu, 1) for time, cpu in zip(times, cpus, strict=True)),
        **_machine("machine_cpu_per_build_ms", reading, len(plan.groups)),
        "cpu_time_per_build_ms": sum(cpus) / len(cpus) / 1000,
    }


def _batch(model: BatchModel, plan: JobPlan, reading: RunReading) -> dict[str, float]:
    floor = floor_us(plan, reading, plan.cpus)
    done, mean = max(reading.end_us), fmean(reading.end_us)
    return {
        "makespan_per_floor": done / floor,
        "makespan_ms": done / 1000,
        "mean_completion_per_floor": mean / floor,
        "mean_completion_ms": mean / 1000,
        "slowest_short_per_floor": max(reading.end_us[: short_count(plan, model)]) / floor,
        **_machine("machine_cpu_per_job_ms", reading, len(plan.jobs)),
        "cpu_time_per_job_ms": sum(reading.cpu_us) / len(plan.jobs) / 1000,
    }


def _machine(name: str, reading: RunReading, count: int) -> dict[str, float]:
    return {} if reading.machine_cpu_us is None else {name: reading.machine_cpu_us / count / 1000}


def _per_group(plan: JobPlan, column: Sequence[int], reduce: Callable[[list[int]], int]) -> list[int]:
    members: list[list[int]] = [[] for _ in plan.groups]
    for job, value in zip(plan.jobs, column, strict=True):
        members[job.group].append(value)
    return [reduce(values) for values in members]
