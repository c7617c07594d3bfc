"""What the engine left in its memory, as a result (``schedops/sim/engine/results.c``)."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator

from schedops.model.simulation import CpuResult, Histogram, LabelResult, SimEnd, SimPlan, SimResult, TaskResult

_BUCKETS = 976  # account.c
_TASK_WORDS = 12
_NEVER = (1 << 64) - 1
Read = Callable[[int, int], bytes]  # (address, bytes)


def result_of(
    plan: SimPlan, cpus: int, end: SimEnd, read: Read, result: Callable[[int], int], trace: bytes
) -> SimResult:
    """:param result: the engine's export of that name; *finish* has been called."""
    decisions, wakeups, ticks, completions = struct.unpack("<4Q", read(result(3), 32))
    return SimResult(
        end=end,
        end_ns=result(6),
        tasks=tuple(_tasks(_words(read(result(0), len(plan.tasks) * _TASK_WORDS * 8)))),
        cpus=tuple(CpuResult(busy_ns=a, idle_ns=b, idle_waste_ns=c) for a, b, c in _rows(read, result(1), cpus)),
        labels=tuple(_labels(len(plan.labels), _words(read(result(2), len(plan.labels) * 2 * _BUCKETS * 8)))),
        decisions=decisions,
        wakeups=wakeups,
        ticks=ticks,
        completions=completions,
        trace=trace,
    )


def _rows(read: Read, address: int, count: int) -> Iterator[tuple[int, ...]]:
    return struct.iter_unpack("<3Q", read(address, count * 24))


def _words(data: bytes) -> array[int]:
    words = array("Q")
    words.frombytes(data)
    return words


def _tasks(words: array[int]) -> Iterator[TaskResult]:
    for start in range(0, len(words), _TASK_WORDS):
        arrival, first, done, cpu, wait, longest, switches, preempted, wakeups, *moves = words[
            start : start + _TASK_WORDS
        ]
        yield TaskResult(
            arrival_ns=_time(arrival),
            first_run_ns=_time(first),
            completion_ns=_time(done),
            cpu_ns=cpu,
            wait_ns=wait,
            max_wait_ns=longest,
            switches=switches,
            preemptions=preempted,
            wakeups=wakeups,
            migrations=(moves[0], moves[1], moves[2]),
        )


def _time(value: int) -> int:
    return -1 if value == _NEVER else value


def _labels(count: int, words: array[int]) -> Iterator[LabelResult]:
    for start in range(0, count * 2 * _BUCKETS, 2 * _BUCKETS):
        yield LabelResult(wakeup=_histogram(words, start), request=_histogram(words, start + _BUCKETS))


def _histogram(words: array[int], start: int) -> Histogram:
    counts = words[start : start + _BUCKETS]
    return Histogram(tuple((bucket, count) for bucket, count in enumerate(counts) if count))
