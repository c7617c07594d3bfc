"""Workloads, fleet, desired state and hints: the documents of the repository that are one file each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from schedops.errors import InputError
from schedops.model.fleet import Assignment, Fleet
from schedops.model.jobs import Hints
from schedops.model.program_policy import ProgramPolicy
from schedops.model.workload import Workload
from schedops.repository.tree import POLICIES, Found, document, names_in, settled, unknown
from schedops.workloads.real import real_problems
from schedops.workloads.tables import Table, metric_table

T = TypeVar("T")
FLEET = "fleet.yaml"


def load_workloads(root: Path) -> tuple[Workload, ...]:
    """Every workload, by name. :raises InputError: ``invalid-document`` with every problem of every workload."""
    return settled(read_workloads(root), where=f"{POLICIES}/workloads")


def load_workload(root: Path, name: str) -> Workload:
    """One workload; the others may be broken.

    :raises InputError: ``unknown-workload`` with the nearest names, or ``invalid-document``.
    """
    known = _stems(root, "workloads")
    if name not in known:
        raise unknown("workload", name, known, command="schedops workload list")
    return settled([read_workload(root, name)], where=f"{POLICIES}/workloads/{name}.yaml")[0]


def load_workload_files(directory: Path) -> tuple[Workload, ...]:
    """Every ``*.yaml`` of a directory that is no part of a tree of policies, such as hidden workloads, by name.

    :raises InputError: ``no-workloads``, or ``invalid-document`` with every problem of every workload.
    """
    names = sorted(path.name.removesuffix(".yaml") for path in directory.glob("*.yaml"))
    if not names:
        raise InputError("no-workloads", f"there is no .yaml file in {directory}", where=str(directory))
    return settled((_workload_file(directory, name) for name in names), where=str(directory))


def _workload_file(directory: Path, name: str) -> Found[Workload]:
    found = document(directory, f"{name}.yaml", Workload, below="")
    if found.value is None:
        return found
    problems = workload_problems(found.value, name)
    return Found(None if problems else found.value, tuple(f"{name}.yaml::{line}" for line in problems))


def load_fleet(root: Path) -> Fleet:
    """``policies/fleet.yaml``. :raises InputError: ``invalid-document``, also for groups of unknown workloads."""
    return settled([read_fleet(root)], where=f"{POLICIES}/{FLEET}")[0]


def load_hints(root: Path, workload: str) -> Hints | None:
    """What history knows about a workload's jobs; None when it knows nothing. :raises InputError."""
    if workload not in _stems(root, "hints"):
        return None
    return settled([read_hints(root, workload)], where=f"{POLICIES}/hints/{workload}.yaml")[0]


def load_assignments(root: Path) -> tuple[Assignment, ...]:
    """The desired state, by group and workload. :raises InputError: ``invalid-document`` with every problem."""
    return settled(read_assignments(root), where=f"{POLICIES}/desired")


def read_workloads(root: Path) -> tuple[Found[Workload], ...]:
    """Every workload with its problems as values."""
    return tuple(read_workload(root, name) for name in _stems(root, "workloads"))


def read_workload(root: Path, name: str) -> Found[Workload]:
    """One workload, held to its file name and to the metrics its model gives."""
    path = f"workloads/{name}.yaml"
    found = document(root, path, Workload)
    return found if found.value is None else _held(path, found.value, workload_problems(found.value, name))


def workload_problems(workload: Workload, name: str) -> tuple[str, ...]:
    """What the schema cannot see; ``$.path: message``."""
    problems = [] if workload.name == name else [f"$.name: {workload.name} lives in a file named {name}.yaml"]
    table, seen = metric_table(workload), set()
    for role in ("objectives", "guards"):
        for at, entry in enumerate(getattr(workload, role)):
            path = f"$.{role}[{at}]"
            if entry.metric not in table:
                problems.append(f"{path}.metric: {entry.metric} is not measured here; there are {', '.join(table)}")
            elif entry.unit != table[entry.metric][0]:
                problems.append(f"{path}.unit: {entry.metric} is in {table[entry.metric][0]}, not {entry.unit}")
            if entry.metric in seen:
                problems.append(f"{path}.metric: {entry.metric} occurs twice")
            seen.add(entry.metric)
    real = real_problems(workload.real) if workload.real is not None else ()
    return (*problems, *_slo_problems(workload, table), *real)


def _slo_problems(workload: Workload, table: Table) -> Iterator[str]:
    for at, slo in enumerate(workload.slos):
        path = f"$.slos[{at}]"
        if slo.metric not in table:
            yield f"{path}.metric: {slo.metric} is not measured here; there are {', '.join(table)}"
        elif slo.unit != table[slo.metric][0]:
            yield f"{path}.unit: {slo.metric} is in {table[slo.metric][0]}, not {slo.unit}"
        if any((slo.metric, slo.hard) == (other.metric, other.hard) for other in workload.slos[:at]):
            yield f"{path}.metric: {slo.metric} has a {'hard' if slo.hard else 'soft'} SLO already"


def read_fleet(root: Path) -> Found[Fleet]:
    """The fleet, held to the workloads there are."""
    found = document(root, FLEET, Fleet)
    if found.value is None:
        return found
    fleet, known, problems = found.value, _stems(root, "workloads"), []
    for at, group in enumerate(fleet.groups):
        if group.name in [other.name for other in fleet.groups[:at]]:
            problems.append(f"$.groups[{at}].name: a second group {group.name}")
        problems += [
            f"$.groups[{at}].workloads[{number}]: there is no {POLICIES}/workloads/{name}.yaml"
            for number, name in enumerate(group.workloads)
            if name not in known
        ]
    problems += [
        f"$.kernels[{at}]: {kernel.release} occurs twice"
        for at, kernel in enumerate(fleet.kernels)
        if kernel in fleet.kernels[:at]
    ]
    return _held(FLEET, fleet, tuple(problems))


def read_hints(root: Path, workload: str) -> Found[Hints]:
    """One hints file, held to its file name."""
    path = f"hints/{workload}.yaml"
    found = document(root, path, Hints)
    if found.value is None:
        return found
    keys, problems = [hint.key for hint in found.value.hints], []
    if found.value.workload != workload:
        problems.append(f"$.workload: {found.value.workload} lives in a file named {workload}.yaml")
    if len(set(keys)) < len(keys):
        problems.append("$.hints: a key occurs twice")
    return _held(path, found.value, tuple(problems))


def read_all_hints(root: Path) -> tuple[Found[Hints], ...]:
    """Every hints file with its problems as values."""
    return tuple(read_hints(root, name) for name in _stems(root, "hints"))


def read_assignments(root: Path) -> tuple[Found[Assignment], ...]:
    """Every file of the desired state, held to its file name."""
    return tuple(_read_assignment(root, name) for name in _stems(root, "desired"))


def read_programs(root: Path) -> tuple[Found[ProgramPolicy], ...]:
    """Every scheduler that exists as a binary, held to its file name."""
    return tuple(_read_program(root, name) for name in _stems(root, "programs"))


def _read_program(root: Path, name: str) -> Found[ProgramPolicy]:
    path = f"programs/{name}.yaml"
    found = document(root, path, ProgramPolicy)
    if found.value is None:
        return found
    problem = f"$.name: {found.value.name} lives in a file named {name}.yaml"
    return _held(path, found.value, () if found.value.name == name else (problem,))


def _read_assignment(root: Path, name: str) -> Found[Assignment]:
    path = f"desired/{name}.yaml"
    found = document(root, path, Assignment)
    if found.value is None:
        return found
    wanted = f"{found.value.group}.{found.value.workload}"
    problems = () if name == wanted else (f"$: group and workload belong in a file named {wanted}.yaml",)
    if (found.value.policy is None) == (found.value.settings is None):
        problems = (*problems, "$: exactly one of policy and settings must be given")
    return _held(path, found.value, problems)


def _held(path: str, value: T, problems: tuple[str, ...]) -> Found[T]:
    return Found(None if problems else value, tuple(f"{POLICIES}/{path}::{line}" for line in problems))


def _stems(root: Path, folder: str) -> tuple[str, ...]:
    return tuple(name.removesuffix(".yaml") for name in names_in(root, folder, ".yaml"))
