"""Collects the parts of a plan and gives them their places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schedops.errors import InputError
from schedops.model.simulation import Program, SimCgroup, SimPlan, SimTask, Sync, SyncKind

MAX_TASKS = 50_000
MAX_STEPS = 2_000_000  # of all programs together; 32 bytes each
MAX_TABLES = 500
MAX_MESSAGES = 1 << 22  # that all queues together hold; 8 bytes each
COMM_BYTES = 15  # TASK_COMM_LEN - 1, include/linux/sched.h


@dataclass
class PlanBuilder:
    """Parts in the order they were added; equal programs, tables and sets of CPUs are kept once."""

    tasks: list[SimTask] = field(default_factory=list)
    syncs: list[Sync] = field(default_factory=list)
    _programs: dict[Program, int] = field(default_factory=dict)
    _labels: dict[str, int] = field(default_factory=dict)
    _cgroups: list[SimCgroup] = field(default_factory=lambda: [SimCgroup(name="/", parent=-1)])
    _tables: dict[tuple[int, ...], int] = field(default_factory=dict)
    _cpusets: dict[tuple[int, ...], int] = field(default_factory=dict)
    _steps: int = 0
    _messages: int = 0

    def task(
        self,
        name: str,
        program: Iterable[tuple[int, int, int, int]],
        *,
        label: str,
        cgroup: int = 0,
        nice: int = 0,
        cpuset: int = -1,
        arrival_ns: int = 0,
        hint_ns: int = 0,
        ext: bool = False,
    ) -> int:
        """Add a task; its index. :raises InputError: ``plan-too-large``."""
        if len(self.tasks) == MAX_TASKS:
            raise InputError("plan-too-large", f"the workload makes more than {MAX_TASKS} tasks")
        self.tasks.append(
            SimTask(
                name=comm(name),
                program=self.program(program),
                label=self.label(label),
                cgroup=cgroup,
                nice=nice,
                cpuset=cpuset,
                arrival_ns=arrival_ns,
                hint_ns=hint_ns,
                ext=ext,
            )
        )
        return len(self.tasks) - 1

    def program(self, steps: Iterable[tuple[int, int, int, int]]) -> int:
        """Index of a program. :raises InputError: ``plan-too-large``."""
        program: Program = tuple(steps)  # type: ignore[arg-type]
        if program not in self._programs:
            self._steps += len(program)
            if self._steps > MAX_STEPS:
                raise InputError("plan-too-large", f"the programs of the workload have more than {MAX_STEPS} steps")
            self._programs[program] = len(self._programs)
        return self._programs[program]

    def sync(self, kind: SyncKind, value: int = 0) -> int:
        """Add a synchronisation object; its index. :raises InputError: ``plan-too-large``."""
        self._messages += value if kind is SyncKind.QUEUE else 0
        if self._messages > MAX_MESSAGES:
            raise InputError("plan-too-large", f"the queues of the workload hold more than {MAX_MESSAGES} messages")
        self.syncs.append(Sync(kind=kind, value=value))
        return len(self.syncs) - 1

    def semaphore(self, tokens: int = 0) -> int:
        """Add a semaphore; its index."""
        return self.sync(SyncKind.SEMAPHORE, tokens)

    def label(self, name: str) -> int:
        """Index of a class of tasks."""
        return self._labels.setdefault(printable(name), len(self._labels))

    def cgroup(self, name: str, *, parent: int = 0, weight: int = 100) -> int:
        """Add a cgroup; its index."""
        self._cgroups.append(SimCgroup(name=name, parent=parent, weight=weight))
        return len(self._cgroups) - 1

    def table(self, values: Iterable[int]) -> int:
        """Index of a table of lengths. :raises InputError: ``plan-too-large``."""
        index = self._tables.setdefault(tuple(values), len(self._tables))
        if index >= MAX_TABLES:
            raise InputError("plan-too-large", f"the workload draws from more than {MAX_TABLES} distributions")
        return index

    def cpuset(self, cpus: Iterable[int]) -> int:
        """Index of a set of CPUs."""
        return self._cpusets.setdefault(tuple(sorted(set(cpus))), len(self._cpusets))

    def plan(self, *, seed: int, end_ns: int = 0) -> SimPlan:
        """Everything that was added."""
        return SimPlan(
            seed=seed,
            tasks=tuple(self.tasks),
            programs=tuple(self._programs),
            labels=tuple(self._labels),
            cgroups=tuple(self._cgroups),
            syncs=tuple(self.syncs),
            tables=tuple(self._tables),
            cpusets=tuple(self._cpusets),
            end_ns=end_ns,
        )


def comm(name: str) -> str:
    """A name as the kernel would keep it: its first 15 bytes, whole characters."""
    return printable(name).encode("utf-8")[:COMM_BYTES].decode("utf-8", errors="ignore")


def printable(name: str) -> str:
    """A name that does nothing to a terminal and fits into UTF-8."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
