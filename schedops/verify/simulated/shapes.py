"""Machines that policies tend to forget: one CPU, odd numbers, siblings, several caches, unequal speeds, very many."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.machine import FULL_CAPACITY, Machine, SimCpu, flat_machine

_SLOW = 480  # of a small core, in parts of the fastest


def odd_three() -> Machine:
    """Two siblings and, between them in number, a core of another node: the ready machine ``odd-3``."""
    return Machine(name="odd-3", cpus=(SimCpu(core=1, llc=1, node=1), SimCpu(core=0), SimCpu(core=1, llc=1, node=1)))


def odd_one_node() -> Machine:
    """The same on one node: each node has a global queue of its own (find_global_dsq() in kernel/sched/ext.c), so
    nobody can be asked to keep all CPUs busy from it.
    """
    three = odd_three()
    return replace(three, name="odd-one-node", cpus=tuple(replace(cpu, node=0) for cpu in three.cpus))


def two_caches(cpus: int) -> Machine:
    """Equal CPUs, the second half of them with a last-level cache of its own."""
    name = f"two-caches-{cpus}"
    return Machine(name=name, cpus=tuple(SimCpu(core=cpu, llc=2 * cpu // cpus) for cpu in range(cpus)))


def unequal(cpus: int) -> Machine:
    """The second half is slow, and has a last-level cache of its own."""
    speeds = (FULL_CAPACITY, _SLOW)
    halves = [2 * cpu // cpus for cpu in range(cpus)]
    made = tuple(SimCpu(core=cpu, llc=half, capacity=speeds[half]) for cpu, half in enumerate(halves))
    return Machine(name=f"unequal-{cpus}", cpus=made)


def siblings(cpus: int, *, nodes: int = 1, caches: int = 1) -> Machine:
    """Two threads to a core, numbered as servers do: first all first threads."""
    cores = cpus // 2
    made = tuple(
        SimCpu(core=core, llc=core * caches // cores, node=core * nodes // cores)
        for core in (cpu % cores for cpu in range(cpus))
    )
    return Machine(name=f"siblings-{cpus}", cpus=made)


__all__ = ["flat_machine", "odd_three", "siblings", "two_caches", "unequal"]
