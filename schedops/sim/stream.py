"""The event stream of a run: records, who was on which CPU when, and what things are called."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from schedops.model.simulation import NOBODY, TRACE_RECORD, SimPlan, SimResult, TraceKind

# Ids of built-in dispatch queues (include/linux/sched/ext.h, Linux 6.12: enum scx_dsq_id_flags).
_BUILTIN = 1 << 63
_LOCAL_ON = 1 << 62
_NAMES = {0: "invalid", 1: "global", 2: "local"}


class Record(NamedTuple):
    """One record; see :class:`schedops.model.simulation.TraceKind` for what *argument* means."""

    time_ns: int
    argument: int
    task: int
    cpu: int
    kind: int


class Slice(NamedTuple):
    """A task on a CPU without a break.

    :param wait_ns: how long it was runnable and not running before.
    :param goes_on: it came off although it could have gone on.
    """

    cpu: int
    task: int
    start_ns: int
    end_ns: int
    wait_ns: int
    goes_on: bool


def records(trace: bytes) -> Iterator[Record]:
    """Every record in order of time. :raises ValueError: *trace* is cut off."""
    if len(trace) % struct.calcsize(TRACE_RECORD):
        raise ValueError("a trace ends in the middle of a record")
    return map(Record._make, struct.iter_unpack(TRACE_RECORD, trace))


def slices(trace: bytes, end_ns: int) -> Iterator[Slice]:
    """Who was on which CPU when, in the order in which they ended; what still ran at *end_ns* ends there."""
    open_: dict[int, Record] = {}
    for record in records(trace):
        if record.kind not in {TraceKind.RUN, TraceKind.STOP, TraceKind.IDLE}:
            continue
        begun = open_.pop(record.cpu, None)
        if begun is not None:
            goes_on = record.kind == TraceKind.STOP and record.argument == 1
            yield Slice(begun.cpu, begun.task, begun.time_ns, record.time_ns, begun.argument, goes_on)
        if record.kind == TraceKind.RUN and record.task != NOBODY:
            open_[record.cpu] = record
    for begun in sorted(open_.values(), key=lambda record: record.cpu):
        yield Slice(begun.cpu, begun.task, begun.time_ns, max(end_ns, begun.time_ns), begun.argument, goes_on=True)


def task_title(plan: SimPlan, task: int) -> str:
    """A task's name with its number, for slices."""
    return f"{plan.tasks[task].name}:{task}" if task < len(plan.tasks) else f"task {task}"


def queue_title(queue: int) -> str:
    """A dispatch queue's name: the built-in ones have one, a policy's have their number."""
    if not queue & _BUILTIN:
        return f"DSQ {queue:#x}" if queue > 9999 else f"DSQ {queue}"
    if queue & _LOCAL_ON:
        return f"DSQ local of CPU {queue & 0xFFFFFFFF}"
    number = queue & 0xFFFFFFFF
    return f"DSQ {_NAMES.get(number, number)}"


class Traced(NamedTuple):
    """A run with its trace.

    :param name: who schedules what on which machine, and that it is simulated.
    """

    name: str
    plan: SimPlan
    result: SimResult
