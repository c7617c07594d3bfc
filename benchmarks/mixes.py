"""Mixed workloads that the library does not have and no threshold was made with: ``mixed-tasks``, taken apart."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.workload import Workload
from schedops.model.workload_kinds import TaskClass


def mixes(desktop: Workload) -> tuple[Workload, ...]:
    """*desktop* (``mixed-tasks``) where nobody reports requests; and without the threads that share a lock."""
    assert desktop.tasks is not None
    classes = desktop.tasks.classes
    return (
        _of(desktop, "mixed-quiet", tuple(_silent(one) for one in classes)),
        _of(desktop, "mixed-lockless", tuple(one for one in classes if one.name != "locker")),
    )


def _of(desktop: Workload, name: str, classes: tuple[TaskClass, ...]) -> Workload:
    assert desktop.tasks is not None
    return replace(desktop, name=name, real=None, tasks=replace(desktop.tasks, classes=classes))


def _silent(one: TaskClass) -> TaskClass:
    phases = (
        replace(part, steps=tuple(step for step in part.steps if step.do not in {"begin", "end"}))
        for part in one.phases
    )
    return replace(one, phases=tuple(phases))
