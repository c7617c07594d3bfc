"""Small plans for the simulator's own schedulers, and what to ask of their results."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, SimCpu
from schedops.model.simulation import (
    TRACE_RECORD,
    Instruction,
    Op,
    Program,
    SimPlan,
    SimResult,
    SimTask,
    SimVerdict,
    TraceKind,
)
from schedops.ports import SimScheduler

MS = 1_000_000
HOG: Program = (Instruction(Op.RUN, 1000 * MS), Instruction(Op.JUMP, 0))


class Default:
    """The kernel's default scheduler; its runs have to end as they should."""

    def __init__(self, modules: Path) -> None:
        """:param modules: where compiled modules are kept."""
        self._simulator = WasmSimulator(modules)

    def __call__(self, plan: SimPlan, machine: Machine, *, trace: bool = False) -> SimResult:
        result = self._simulator.run(plan, machine, SimScheduler(name="eevdf"), trace=trace)
        assert result.end.verdict == SimVerdict.DONE, result.end
        return result


def plan_of(*tasks: SimTask, programs: Sequence[Program] = (HOG,), ms: int = 0, **more) -> SimPlan:
    return SimPlan(seed=1, tasks=tasks, programs=tuple(programs), end_ns=ms * MS, **more)


def hogs(count: int, **more) -> tuple[SimTask, ...]:
    return tuple(SimTask(name=f"hog-{number}", program=0, **more) for number in range(count))


def cores(
    count: int, *, threads: int = 1, llcs: int = 1, nodes: int = 1, capacities: Sequence[int] = (1024,)
) -> Machine:
    """Siblings are numbered as servers do: first all first threads. *capacities* are given to the cores in turn."""
    return Machine(
        name=f"cores-{count}",
        cpus=tuple(
            SimCpu(
                core=core,
                llc=core * llcs // count,
                node=core * nodes // count,
                capacity=capacities[core * len(capacities) // count],
            )
            for _ in range(threads)
            for core in range(count)
        ),
    )


def shares(result: SimResult) -> list[float]:
    """CPU time of each task, in parts of the run."""
    return [task.cpu_ns / result.end_ns for task in result.tasks]


def records(result: SimResult) -> Iterator[tuple[int, int, int, int, int]]:
    """(time ns, argument, task, CPU, kind)"""
    return struct.iter_unpack(TRACE_RECORD, result.trace)


def longest_waste_ns(result: SimResult, cpus: int) -> int:
    """For how long at most some CPU idled while some task waited; tasks may run anywhere."""
    idle, waiting = set(range(cpus)), set()
    since, worst = None, 0
    for time, argument, task, cpu, kind in records(result):
        if since is not None:
            worst = max(worst, time - since)
        if kind == TraceKind.RUN:
            idle.discard(cpu)
            waiting.discard(task)
        elif kind == TraceKind.WAKE or (kind == TraceKind.STOP and argument):
            waiting.add(task)
        elif kind == TraceKind.IDLE:
            idle.add(cpu)
        since = (time if since is None else since) if idle and waiting else None
    return worst
