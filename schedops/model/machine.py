"""The machine of a simulation: which CPUs there are, how they are related, and what it costs to move between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

FULL_CAPACITY = 1024  # of the fastest CPU at its highest frequency, as the kernel counts (SCHED_CAPACITY_SCALE)
MAX_CPUS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCpu:
    """One logical CPU; its number is its place in :attr:`Machine.cpus`.

    :param core: CPUs of equal *core* are SMT siblings.
    :param llc: CPUs of equal *llc* share a last-level cache.
    :param capacity: work it does per time, alone on its core, at full frequency; 1 .. 1024.
    """

    core: int
    llc: int = 0
    node: int = 0
    capacity: int = FULL_CAPACITY


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleState:
    """A CPU that has idled for *after_ns* needs *exit_ns* until it runs the first instruction."""

    after_ns: int
    exit_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyRamp:
    """How the speed of a CPU follows its load; frequency in parts of 1024 of the highest.

    :param floor: frequency of a CPU that idled for long.
    :param ramp_ns: busy time from 0 to 1024 (so from *floor* it takes a part of it).
    :param decay_ns: idle time from 1024 to 0.
    """

    floor: int
    ramp_ns: int
    decay_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Costs are CPU time in nanoseconds, added to the stint of the task that comes in; 0 switches a cost off.

    :param tick_ns: period of the scheduler's tick (1e9 / CONFIG_HZ); all CPUs tick at multiples of it.
    :param switch_ns: a context switch to another task.
    :param migrate_llc_ns: the first run on another CPU of the same last-level cache; the others likewise.
    :param smt_capacity: speed of a CPU while a sibling is busy, in parts of 1024 of its own.
    :param idle_states: by rising *after_ns*, at most 4; none: leaving idle costs nothing.
    """

    name: str
    cpus: tuple[SimCpu, ...]
    tick_ns: int = 1_000_000
    switch_ns: int = 1_500
    migrate_llc_ns: int = 2_000
    migrate_across_llc_ns: int = 10_000
    migrate_across_node_ns: int = 30_000
    smt_capacity: int = 640
    idle_states: tuple[IdleState, ...] = ()
    frequency: FrequencyRamp | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.cpus) <= MAX_CPUS:
            raise ValueError(f"a machine has 1 to {MAX_CPUS} CPUs, not {len(self.cpus)}")
        if problem := _split(self.cpus, "core", "llc") or _split(self.cpus, "llc", "node"):
            raise ValueError(problem)
        after = [state.after_ns for state in self.idle_states]
        if any(later <= earlier for earlier, later in pairwise(after)):
            raise ValueError("idle_states must be by rising after_ns")


def _split(cpus: tuple[SimCpu, ...], inner: str, outer: str) -> str:
    """What is wrong when CPUs of one core are in two caches, or those of one cache in two nodes."""
    homes: dict[int, int] = {}
    for cpu in cpus:
        key, home = getattr(cpu, inner), getattr(cpu, outer)
        if homes.setdefault(key, home) != home:
            return f"{inner} {key} is in {outer} {homes[key]} and in {outer} {home}"
    return ""


def flat_machine(cpus: int) -> Machine:
    """*cpus* equal CPUs, one last-level cache, one node, no SMT."""
    return Machine(name=f"flat-{cpus}", cpus=tuple(SimCpu(core=cpu) for cpu in range(cpus)))
