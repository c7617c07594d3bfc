"""A simulator in forty lines: round robin over one queue, programs of RUN and SLEEP alone. The port is real."""

from __future__ import annotations

import heapq
import struct

from schedops.model.machine import Machine
from schedops.model.simulation import (
    NOBODY,
    TRACE_RECORD,
    CpuResult,
    Histogram,
    Instruction,
    LabelResult,
    Op,
    SimEnd,
    SimPlan,
    SimResult,
    SimTask,
    SimVerdict,
    TaskResult,
    TraceKind,
)
from schedops.ports import SimScheduler

QUANTUM_NS = 4_000_000


def plan_of_works(*works_ns: int, labels=("task",), cgroups=None, seed: int = 1) -> SimPlan:
    """A task for each work, labelled in turn."""
    more = {} if cgroups is None else {"cgroups": cgroups}
    groups = 1 if cgroups is None else len(cgroups)
    return SimPlan(
        seed=seed,
        labels=labels,
        tasks=tuple(
            SimTask(
                name=f"job-{at}",
                program=at,
                label=at % len(labels),
                cgroup=(1 + at % (groups - 1)) if groups > 1 else 0,
            )
            for at in range(len(works_ns))
        ),
        programs=tuple((Instruction(Op.RUN, work),) for work in works_ns),
        **more,
    )


class Simulator:
    """*eevdf* takes turns of 4 ms, everybody else runs to the end; remembers what was asked.

    :param ends: name of a scheduler -> how its runs end, instead of being done.
    """

    def __init__(self, ends: dict[str, SimEnd] | None = None) -> None:
        self.ends = ends or {}
        self.asked: list[tuple[SimPlan, Machine, SimScheduler, bool]] = []

    def run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
        self.asked.append((plan, machine, scheduler, trace))
        quantum = QUANTUM_NS if scheduler.name == "eevdf" else 1 << 60
        run = _Run(plan, len(machine.cpus), quantum)
        end = self.ends.get(scheduler.name, SimEnd(verdict=SimVerdict.DONE))
        return run.result(end, keep=trace)


class _Run:
    def __init__(self, plan: SimPlan, cpus: int, quantum: int) -> None:
        self.plan, self.cpus = plan, cpus
        self.stream: list[bytes] = []
        left = {at: sum(step[1] for step in plan.programs[task.program]) for at, task in enumerate(plan.tasks)}
        queue = [(max(0, task.arrival_ns), at) for at, task in enumerate(plan.tasks)]
        free = [(0, cpu) for cpu in range(cpus)]
        self.first, self.done, self.wait, self.count = {}, {}, dict.fromkeys(left, 0), dict.fromkeys(left, 0)
        self.longest, self.waits = dict.fromkeys(left, 0), []
        while queue:
            ready, task = queue.pop(0)
            at, cpu = heapq.heappop(free)
            start = max(at, ready)
            stop = start + min(quantum, left[task])
            left[task] -= stop - start
            self.first.setdefault(task, start)
            self.wait[task] += start - ready
            self.longest[task] = max(self.longest[task], start - ready)
            self.waits.append(start - ready)
            self.count[task] += 1
            self.put(ready, 0, task, cpu, TraceKind.WAKE)
            self.put(start, start - ready, task, cpu, TraceKind.RUN)
            self.put(start, len(queue), len(queue), cpu, TraceKind.QUEUE)
            self.put(stop, int(left[task] > 0), task, cpu, TraceKind.STOP)
            heapq.heappush(free, (stop, cpu))
            if left[task]:
                queue.append((stop, task))
            else:
                self.done[task] = stop
                self.put(stop, 0, task, cpu, TraceKind.EXIT)
                self.put(stop, 0, NOBODY, cpu, TraceKind.IDLE)

    def put(self, time: int, argument: int, task: int, cpu: int, kind: TraceKind) -> None:
        self.stream.append(struct.pack(TRACE_RECORD, time, argument, task, cpu, kind))

    def result(self, end: SimEnd, *, keep: bool) -> SimResult:
        last = max(self.done.values())
        works = [sum(step[1] for step in self.plan.programs[task.program]) for task in self.plan.tasks]
        busy = sum(works) // self.cpus
        histogram = Histogram(((0, len(self.waits)),))
        return SimResult(
            end=end,
            end_ns=last,
            tasks=tuple(self.task(at, work) for at, work in enumerate(works)),
            cpus=(CpuResult(busy_ns=busy, idle_ns=last - busy, idle_waste_ns=0),) * self.cpus,
            labels=(LabelResult(wakeup=histogram, request=Histogram()),) * len(self.plan.labels),
            decisions=sum(self.count.values()),
            wakeups=len(works),
            ticks=0,
            completions=len(works),
            trace=b"".join(sorted(self.stream, key=lambda one: struct.unpack_from("<Q", one))) if keep else b"",
        )

    def task(self, at: int, work: int) -> TaskResult:
        return TaskResult(
            arrival_ns=max(0, self.plan.tasks[at].arrival_ns),
            first_run_ns=self.first[at],
            completion_ns=self.done[at],
            cpu_ns=work,
            wait_ns=self.wait[at],
            max_wait_ns=self.longest[at],
            switches=self.count[at],
            preemptions=self.count[at] - 1,
            wakeups=1,
            migrations=(0, 0, 0),
        )
