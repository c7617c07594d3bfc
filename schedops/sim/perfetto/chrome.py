"""Runs to the JSON that Chrome's tracing began and Perfetto reads: a process per run, a thread per CPU."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from schedops.model.simulation import TraceKind
from schedops.sim.stream import Record, Slice, Traced, queue_title, records, slices, task_title


def chrome_trace(runs: Iterable[Traced]) -> Iterator[bytes]:
    """The file in parts; equal runs give equal bytes. Times are microseconds with three places."""
    yield b'{"displayTimeUnit":"ns","otherData":{"measured":"no, simulated by schedops"},"traceEvents":[\n'
    first = True
    for pid, run in enumerate(runs, 1):
        for event in _events(run, pid):
            yield (b"" if first else b",\n") + event
            first = False
    yield b"\n]}\n"


def _events(run: Traced, pid: int) -> Iterator[bytes]:
    yield _event("M", pid, name="process_name", args={"name": run.name})
    for cpu in range(len(run.result.cpus)):
        yield _event("M", pid, tid=cpu, name="thread_name", args={"name": f"CPU {cpu}"})
        yield _event("M", pid, tid=cpu, name="thread_sort_index", args={"sort_index": cpu})
    for one in slices(run.result.trace, run.result.end_ns):
        yield _slice(run, pid, one)
    woken: dict[int, int] = {}
    for number, record in enumerate(records(run.result.trace)):
        yield from _record(run, pid, record, number, woken)


def _slice(run: Traced, pid: int, one: Slice) -> bytes:
    return _event(
        "X",
        pid,
        tid=one.cpu,
        ts=one.start_ns,
        dur=one.end_ns - one.start_ns,
        name=task_title(run.plan, one.task),
        cat="run",
        args={"waited_ns": one.wait_ns, "could_go_on": one.goes_on},
    )


def _record(run: Traced, pid: int, record: Record, number: int, woken: dict[int, int]) -> Iterator[bytes]:
    # A flow needs a slice at both ends: the waker's, and the one in which the woken task runs first.
    flow = {"cat": "wake", "name": "wake", "ts": record.time_ns, "tid": record.cpu}
    if record.kind == TraceKind.WAKE and record.argument > 0:
        woken[record.task] = number
        yield _event("s", pid, id=f"{pid}.{number}", **flow)
    elif record.kind == TraceKind.RUN and record.task in woken:
        yield _event("f", pid, id=f"{pid}.{woken.pop(record.task)}", bp="e", **flow)
    elif record.kind == TraceKind.QUEUE:
        yield _event("C", pid, ts=record.time_ns, name=queue_title(record.argument), args={"tasks": record.task})
    elif record.kind == TraceKind.REQUEST:
        name, args = f"request of {task_title(run.plan, record.task)}", {"took_ns": record.argument}
        yield _event("i", pid, tid=record.cpu, ts=record.time_ns, s="t", name=name, cat="request", args=args)


def _event(phase: str, pid: int, **parts: Any) -> bytes:
    fields = {"ph": phase, "pid": pid, **parts}
    written = [f'"{key}":{_written(key, value)}' for key, value in fields.items()]
    return ("{" + ",".join(written) + "}").encode("ascii")


def _written(key: str, value: Any) -> str:
    # Exact: a float would lose nanoseconds after a few hours.
    return f"{value // 1000}.{value % 1000:03d}" if key in {"ts", "dur"} else json.dumps(value, separators=(",", ":"))
