"""Runs to Perfetto's protobuf: a process per run, a track per CPU, flows for wake-ups, counters per dispatch queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schedops.model.simulation import TraceKind
from schedops.sim.perfetto import packets
from schedops.sim.stream import Record, Traced, queue_title, records, task_title

_CATEGORIES = ("run", "wake", "request", "exit")
_RUN, _WAKE, _REQUEST, _EXIT = range(1, 5)
_ANNOTATIONS = ("waited_ns", "took_ns")
_WAITED, _TOOK = 1, 2
_QUEUES = 1 << 16  # of the track numbers of a run


def perfetto_trace(runs: Iterable[Traced]) -> Iterator[bytes]:
    """The file in parts; equal runs give equal bytes."""
    for at, run in enumerate(runs):
        yield from _Run(run, sequence=at + 1).packets()


@dataclass
class _Run:
    run: Traced
    sequence: int
    open_: set[int] = field(default_factory=set)  # CPUs with a slice
    flows: dict[int, int] = field(default_factory=dict)  # task -> flow of its wake-up
    queues: dict[int, int] = field(default_factory=dict)  # dispatch queue -> track
    last_flow: int = 0

    def packets(self) -> Iterator[bytes]:
        names = [task_title(self.run.plan, task) for task in range(len(self.run.plan.tasks))]
        yield packets.first_packet(self.sequence, names, _CATEGORIES, _ANNOTATIONS)
        yield self.put(packets.process_track(self.base, self.sequence, self.run.name))
        for cpu in range(len(self.run.result.cpus)):
            yield self.put(packets.child_track(self.cpu(cpu), self.base, f"CPU {cpu}", cpu))
        cpus = len(self.run.result.cpus)
        for record in records(self.run.result.trace):
            if record.cpu < cpus:  # what no CPU did has no track
                yield from map(self.put, self.record(record))
        for cpu in sorted(self.open_):
            yield self.put(packets.event(self.run.result.end_ns, packets.SLICE_END, self.cpu(cpu)))

    def record(self, record: Record) -> Iterator[bytes]:
        if record.kind == TraceKind.RUN:
            yield from self.close(record)
            yield self.run_begins(record)
        elif record.kind in {TraceKind.STOP, TraceKind.IDLE}:
            yield from self.close(record)
        elif record.kind == TraceKind.WAKE:
            self.last_flow += 1
            self.flows[record.task] = flow = self.sequence << 32 | self.last_flow
            yield self.instant(record, _WAKE, flow=flow)
        elif record.kind == TraceKind.QUEUE:
            yield from self.queued(record)
        elif record.kind == TraceKind.REQUEST:
            yield self.instant(record, _REQUEST, annotation=(_TOOK, record.argument))
        elif record.kind == TraceKind.EXIT:
            yield self.instant(record, _EXIT)

    def run_begins(self, record: Record) -> bytes:
        self.open_.add(record.cpu)
        return packets.event(
            record.time_ns,
            packets.SLICE_BEGIN,
            self.cpu(record.cpu),
            name=1 + record.task,
            category=_RUN,
            annotation=(_WAITED, record.argument),
            ends_flow=self.flows.pop(record.task, 0),
        )

    def close(self, record: Record) -> Iterator[bytes]:
        if record.cpu in self.open_:
            self.open_.remove(record.cpu)
            yield packets.event(record.time_ns, packets.SLICE_END, self.cpu(record.cpu))

    def instant(
        self, record: Record, category: int, *, annotation: tuple[int, int] | None = None, flow: int = 0
    ) -> bytes:
        return packets.event(
            record.time_ns,
            packets.INSTANT,
            self.cpu(record.cpu),
            name=1 + record.task,
            category=category,
            annotation=annotation,
            flow=flow,
        )

    def queued(self, record: Record) -> Iterator[bytes]:
        track = self.queues.get(record.argument)
        if track is None:
            rank = _QUEUES + len(self.queues)
            track = self.queues[record.argument] = self.base + rank
            yield packets.child_track(track, self.base, queue_title(record.argument), rank, counter=True)
        yield packets.value(record.time_ns, track, record.task)

    def put(self, part: bytes) -> bytes:
        return packets.packet(self.sequence, part)

    def cpu(self, cpu: int) -> int:
        return self.base + 1 + cpu

    @property
    def base(self) -> int:
        return self.sequence << 32
