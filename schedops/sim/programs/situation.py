"""What a plan is made for, and how much there is to do in it."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is asked of every kind of workload alike.

    :param name: of the workload; draws and messages begin with it.
    :param scale: factor on how much there is; above 0.
    :param with_hints: tasks are to say what they are expected to take.
    """

    name: str
    machine: Machine
    seed: int
    scale: float = 1.0
    with_hints: bool = False

    @property
    def cpus(self) -> int:
        """How many CPUs there are."""
        return len(self.machine.cpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is to do, as far as metrics ask. Work is ns on the fastest CPU.

    :param work_ns: of all tasks together; 0: nobody asks.
    :param chain_ns: of the longest chain of tasks that wait for each other.
    :param messages: that are sent.
    """

    work_ns: int = 0
    chain_ns: int = 0
    messages: int = 0
