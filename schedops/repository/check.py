"""Every problem of every file below ``policies/`` at once, also those that two files have with each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schedops.errors import InputError
from schedops.model.fleet import Assignment, Fleet
from schedops.model.policy import Policy
from schedops.repository.documents import (
    FLEET,
    read_all_hints,
    read_assignments,
    read_fleet,
    read_programs,
    read_workloads,
)
from schedops.repository.history import read_histories
from schedops.repository.library import LIBRARY, read_library
from schedops.repository.tree import POLICIES, Found


def check_tree(root: Path) -> tuple[str, ...]:
    """All problems, one line each as ``file::$.path: message``; empty when the tree is sound."""
    try:
        return tuple(dict.fromkeys(_problems(root)))
    except InputError as error:
        return (f"{error.where}::$: {error.message}",)


def _problems(root: Path) -> list[str]:
    library, assignments = read_library(root), read_assignments(root)
    fleet: Found[Fleet] = read_fleet(root) if (root / POLICIES / FLEET).exists() else Found(None)
    parts: tuple[Found[Any], ...] = (
        *library, *read_workloads(root), fleet, *read_all_hints(root), *assignments, *read_histories(root),
        *read_programs(root)
    )  # fmt: skip
    problems = [line for part in parts for line in part.problems]
    known = {part.value.policy.name: part.value.policy for part in library if part.value is not None}
    problems += _shared_names(known.values())
    broken = any(part.value is None for part in library)
    for part in assignments:
        if part.value is not None:
            name = f"{POLICIES}/desired/{part.value.group}.{part.value.workload}.yaml"
            found = _assignment_problems(part.value, known, fleet.value, broken=broken)
            problems += [f"{name}::{line}" for line in found]
    return problems


def _shared_names(policies: Iterable[Policy]) -> list[str]:
    # The kernel tells which policy is in charge by this name alone.
    owners: dict[str, str] = {}
    problems = []
    for policy in policies:
        owner = owners.setdefault(policy.ops_name, policy.name)
        if owner != policy.name:
            path = f"{POLICIES}/{LIBRARY}/{policy.name}/policy.yaml"
            problems.append(f"{path}::$.ops_name: {policy.ops_name} is also the name of {owner}")
    return problems


def _assignment_problems(
    assignment: Assignment, policies: dict[str, Policy], fleet: Fleet | None, *, broken: bool
) -> list[str]:
    problems = []
    runs = {group.name: group.workloads for group in fleet.groups} if fleet is not None else None
    if runs is not None and assignment.workload not in runs.get(assignment.group, ()):
        problems.append(f"$: {FLEET} has no group {assignment.group} that runs {assignment.workload}")
    if assignment.policy is None:
        return problems
    policy = policies.get(assignment.policy)
    if policy is None:
        # While the library is broken, the policy may be there and merely unreadable; that was said already.
        return problems if broken else [*problems, f"$.policy: the library has no {assignment.policy}"]
    limits = {param.name: param for param in policy.params}
    for at, chosen in enumerate(assignment.params):
        param = limits.get(chosen.name)
        if param is None:
            problems.append(f"$.params[{at}].name: {policy.name} has no parameter {chosen.name}")
        elif not param.min <= chosen.value <= param.max:
            problems.append(f"$.params[{at}].value: {chosen.value} is not within {param.min}..{param.max} {param.unit}")
    return problems
