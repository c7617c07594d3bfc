"""Which metrics each kind of workload gives: name -> (unit, meaning). The order is the order of tables."""

from __future__ import annotations

from collections.abc import Mapping

from schedops.model.workload import Workload

RATIO = "ratio"
MS = "ms"
US = "us"

Table = Mapping[str, tuple[str, str]]

BUILD_METRICS: Table = {
    "mean_build_time_per_floor": (RATIO, "arrival of a build to the end of its last job, mean over builds, per floor"),
    "mean_build_time_ms": (MS, "arrival of a build to the end of its last job, mean over builds"),
    "all_done_per_floor": (RATIO, "start of the run to the end of the last job, per floor"),
    "all_done_ms": (MS, "start of the run to the end of the last job"),
    "worst_slowdown": (RATIO, "build time by the build's own CPU time, of the build with the largest"),
    "machine_cpu_per_build_ms": (MS, "CPU time of the whole machine, kernel and policy included, per build"),
    "cpu_time_per_build_ms": (MS, "user and system time of all jobs, per build"),
}
BATCH_METRICS: Table = {
    "makespan_per_floor": (RATIO, "start of the run to the end of the last job, per floor"),
    "makespan_ms": (MS, "start of the run to the end of the last job"),
    "mean_completion_per_floor": (RATIO, "submission to end, mean over jobs, per floor"),
    "mean_completion_ms": (MS, "submission to end, mean over jobs"),
    "slowest_short_per_floor": (RATIO, "end of the last short job, per floor"),
    "machine_cpu_per_job_ms": (MS, "CPU time of the whole machine, kernel and policy included, per job"),
    "cpu_time_per_job_ms": (MS, "user and system time of all jobs, per job"),
}

_MACHINE: Table = {
    "utilisation": (RATIO, "busy CPU time by CPUs x length of the run"),
    "machine_cpu_ms": (MS, "CPU time of the whole machine"),
}
_WAKEUPS: Table = {
    "wakeup_p50_us": (US, "woken to running, median"),
    "wakeup_p99_us": (US, "woken to running, 99 of 100 are shorter"),
    "wakeup_p999_us": (US, "woken to running, 999 of 1000 are shorter"),
}
_REQUESTS: Table = {
    "request_p50_us": (US, "begin to end of a request, median"),
    "request_p99_us": (US, "begin to end of a request, 99 of 100 are shorter"),
    "request_p999_us": (US, "begin to end of a request, 999 of 1000 are shorter"),
    "requests_per_s": ("1/s", "requests that ended, by the length of the run"),
}
_MAKESPAN: Table = {"makespan_ms": (MS, "start of the run to the end of the last task")}
_FLOOR: Table = {
    "makespan_per_floor": (RATIO, "makespan by max(longest chain of work, work / speed of all CPUs)"),
}

REQUEST_METRICS: Table = {**_REQUESTS, **_WAKEUPS, **_MACHINE}
PIPE_METRICS: Table = {
    **_MAKESPAN,
    **_FLOOR,
    "messages_per_s": ("1/s", "messages read, by the makespan"),
    **_WAKEUPS,
    **_MACHINE,
}
GRAPH_METRICS: Table = {
    **_MAKESPAN,
    **_FLOOR,
    **_WAKEUPS,
    **_MACHINE,
}
TASK_METRICS: Table = {
    **_MAKESPAN,
    "mean_completion_ms": (MS, "arrival to end, mean over the tasks that end"),
    **_REQUESTS,
    **_WAKEUPS,
    **_MACHINE,
}

_TABLES: Mapping[str, Table] = {
    "builds": BUILD_METRICS,
    "batch": BATCH_METRICS,
    "requests": REQUEST_METRICS,
    "pipes": PIPE_METRICS,
    "graph": GRAPH_METRICS,
    "tasks": TASK_METRICS,
    "rt_app": TASK_METRICS,
}


def metric_table(workload: Workload) -> Table:
    """Name -> (unit, meaning) of every metric that a run of this workload can give."""
    return _TABLES[workload.model_kind]
