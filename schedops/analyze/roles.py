"""What the tasks of each class do, from what the kernel counted for them. Pure.

- ``job``: begins, computes, ends; hardly ever blocks.
- ``starter``: starts other tasks and waits for them, such as a shell or make.
- ``hog``: computes and does not end.
- ``served``: sleeps until another task wakes it; ``timed``: until a timer or a device does.
- ``sleeper``: one of the two; who wakes it only probes can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schedops.analyze.probed import quantile_ns
from schedops.model.guest import PlayReading
from schedops.model.probe import ProbedClass, ProbeReading
from schedops.model.profile import TaskClassFigures
from schedops.model.simulation import Op, SimPlan, TaskResult

JOB_WAKEUPS = 4.0  # of a task in all its life: started, and a few waits for files
JOB_BLOCKED = 0.35  # of its life
JOBS_ENDED = 0.3  # of the class, when the run is cut off while more of them arrive
HOG_BURST_MS = 20.0  # of CPU time between two wake-ups
HOG_BLOCKED = 0.25
STARTER_BLOCKED = 0.4
SERVED_SHARE = 0.5  # of the wake-ups


@dataclass(frozen=True, slots=True)
class Played:
    """One task that was there: who started it, and what became of it."""

    index: int
    label: int
    cgroup: int
    starts: tuple[int, ...]
    result: TaskResult


def tasks_of(plan: SimPlan, reading: PlayReading) -> tuple[Played, ...]:
    """The tasks that arrived. Who started whom is what a process tree shows; so are names and cgroups."""
    starts = [_starts(plan, task.program) for task in plan.tasks]
    rows = zip(plan.tasks, reading.result.tasks, strict=True)
    return tuple(
        Played(index, task.label, task.cgroup, starts[index], result)
        for index, (task, result) in enumerate(rows)
        if result.arrival_ns >= 0
    )


def _starts(plan: SimPlan, program: int) -> tuple[int, ...]:
    forks = [step for step in plan.programs[program] if step.op == Op.FORK]
    return tuple(first for step in forks for first in range(step.a, step.a + max(1, step.b)))


def life_ns(task: TaskResult, end_ns: int) -> int:
    """From its arrival to its end, or to the end of the run."""
    return max(0, (task.completion_ns if task.completion_ns >= 0 else end_ns) - task.arrival_ns)


def task_classes(
    plan: SimPlan, reading: PlayReading, probed: ProbeReading | None = None
) -> tuple[TaskClassFigures, ...]:
    """Every class that was there, most CPU time first.

    :param probed: of a play whose tasks are called by their class: ``class0`` .. in the order of the plan's labels.
    """
    there = tasks_of(plan, reading)
    found = []
    for label, name in enumerate(plan.labels):
        members = [task for task in there if task.label == label]
        if members:
            requests = sum(count for _, count in reading.result.labels[label].request.counts)
            figures = _figures(name, members, reading.result.end_ns, reports=requests > 0)
            seen = _probed(probed, label)
            found.append(figures if probed is None or seen is None else _with_probes(figures, seen, probed))
    return tuple(sorted(found, key=lambda one: (-one.cpu_ms, one.name)))


def _figures(name: str, members: Sequence[Played], end_ns: int, *, reports: bool) -> TaskClassFigures:
    cpu = sum(task.result.cpu_ns for task in members)
    wait = sum(task.result.wait_ns for task in members)
    life = sum(life_ns(task.result, end_ns) for task in members)
    wakeups = sum(task.result.wakeups for task in members)
    return TaskClassFigures(
        name=name[:64] or "task",
        tasks=len(members),
        role=_role(members, cpu, wait, life, wakeups, reports=reports),
        cpu_ms=cpu / 1e6,
        wait_ms=wait / 1e6,
        off_ms=max(0, life - cpu - wait) / 1e6,
        wakeups=wakeups,
    )


def _role(members: Sequence[Played], cpu: int, wait: int, life: int, wakeups: int, *, reports: bool) -> str:
    blocked = max(0.0, 1 - (cpu + wait) / max(1, life))
    ended = sum(task.result.completion_ns >= 0 for task in members) / len(members)
    if any(task.starts for task in members) and blocked >= STARTER_BLOCKED:
        return "starter"
    if ended >= JOBS_ENDED and blocked < JOB_BLOCKED and wakeups <= JOB_WAKEUPS * len(members):
        return "job"
    # What reports requests has an end of its own each time, however long the queue before it is.
    if ended < JOBS_ENDED and blocked < HOG_BLOCKED and cpu >= HOG_BURST_MS * 1e6 * wakeups and not reports:
        return "hog"
    return "sleeper"


def _probed(probed: ProbeReading | None, label: int) -> ProbedClass | None:
    return next((one for one in probed.classes if one.name == f"class{label}"), None) if probed else None


def _with_probes(figures: TaskClassFigures, seen: ProbedClass, probed: ProbeReading) -> TaskClassFigures:
    place = probed.classes.index(seen)
    by_tasks = sum(times for one in probed.classes for woken, times in one.wakes if woken == place)
    share = min(1.0, by_tasks / seen.wakeups) if seen.wakeups else None
    role = figures.role
    if role == "sleeper" and share is not None:
        role = "served" if share >= SERVED_SHARE else "timed"
    return replace(
        figures,
        role=role,
        woken_by_tasks=share,
        wait_p50_us=_us(quantile_ns(seen.latency, 0.5)),
        wait_p99_us=_us(quantile_ns(seen.latency, 0.99)),
        burst_p50_us=_us(quantile_ns(seen.burst, 0.5)),
        burst_p99_us=_us(quantile_ns(seen.burst, 0.99)),
    )


def _us(ns: float | None) -> float | None:
    return None if ns is None else ns / 1000
