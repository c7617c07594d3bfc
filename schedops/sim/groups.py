"""Which tasks belong together in a picture: builds, cgroups, or classes of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schedops.model.simulation import SimPlan, SimResult, TaskResult


@dataclass(frozen=True, slots=True)
class Groups:
    """:param names: of each group.

    :param of_task: index into *names* for every task of the plan.
    :param by_cgroup: else by label, and a label's tasks need not end together.
    """

    names: tuple[str, ...]
    of_task: tuple[int, ...]
    by_cgroup: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """When a group's first task arrived and its last one ended; *end_ns* -1: it did not end."""

    arrival_ns: int
    end_ns: int


def groups_of(plan: SimPlan, *, word: str = "") -> Groups:
    """By cgroup when tasks are in several, else by label.

    :param word: what a cgroup is called ("build"), with a number; empty: by its own name.
    """
    used = sorted({task.cgroup for task in plan.tasks})
    if len(used) < 2:
        return _renumbered(plan.labels, [task.label for task in plan.tasks])
    names = {cgroup: f"{word} {at + 1}" if word else plan.cgroups[cgroup].name for at, cgroup in enumerate(used)}
    return Groups(tuple(names.values()), tuple(used.index(task.cgroup) for task in plan.tasks), by_cgroup=True)


def spans(groups: Groups, result: SimResult) -> tuple[Span, ...]:
    """One for each group."""
    members: list[list[TaskResult]] = [[] for _ in groups.names]
    for task, group in zip(result.tasks, groups.of_task, strict=True):
        members[group].append(task)
    return tuple(map(_span, members))


def _span(tasks: Sequence[TaskResult]) -> Span:
    ends = [task.completion_ns for task in tasks]
    done = bool(ends) and min(ends) >= 0
    return Span(min((task.arrival_ns for task in tasks if task.arrival_ns >= 0), default=0), max(ends) if done else -1)


def _renumbered(names: Sequence[str], of_task: Sequence[int]) -> Groups:
    used = sorted(set(of_task))
    return Groups(tuple(names[at] for at in used), tuple(used.index(at) for at in of_task))
