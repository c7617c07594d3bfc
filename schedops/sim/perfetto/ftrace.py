"""Scheduling events out of a Perfetto trace: the ftrace events of its packets, plain or compact.

Numbers of the fields: protos/perfetto/trace (Perfetto 59.1). Why a task left a CPU: __trace_sched_switch_state() of
include/trace/events/sched.h; flags of interrupts: TRACE_FLAG_* of include/linux/trace_events.h; both Linux 6.12.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from schedops.errors import InputError
from schedops.sim.perfetto.unwire import Broken, fields, signed, varints
from schedops.sim.programs.trace_text import MAX_EVENTS, Recording, Switch, Wakeup, in_order, require_switches

MAX_UNPACKED = 256 << 20  # bytes, of all compressed packets together
_PACKET, _FTRACE, _COMPRESSED = 1, 1, 50  # Trace.packet; TracePacket.ftrace_events, compressed_packets
_CPU, _EVENT, _LOST, _COMPACT = 1, 2, 3, 4  # FtraceEventBundle
_TIME, _PID, _FLAGS, _SWITCH, _WAKEUP, _WAKING, _NEW, _FORK = 1, 2, 5, 4, 17, 20, 114, 239  # FtraceEvent
_KINDS = (_SWITCH, _WAKING, _WAKEUP, _NEW, _FORK)
_COMPACT_COMMS = 5  # of CompactSched, the only field that is not packed
_REASON, _EXITED = 0xFF, 0x30  # why it left the CPU, 0: it did not want to; EXIT_DEAD | EXIT_ZOMBIE
_INTERRUPT = 0x08 | 0x10 | 0x40  # hardirq, softirq, NMI
_MOST_CPUS = 4096


def ftrace_recording(data: bytes, *, where: str) -> Recording:
    """What was recorded. Packets and events of other kinds are read over.

    :raises InputError: ``bad-trace``: no protobuf; ``no-trace``: not one sched_switch in it; ``trace-too-long``.
    """
    reader = _Reader(where)
    try:
        reader.trace(data)
    except Broken as error:
        raise InputError("bad-trace", f"it is no Perfetto trace: {error}", where=where) from None
    require_switches(reader.events, where)
    started = any(isinstance(event, Wakeup) and event.new for event in reader.events)
    events = in_order(reader.events if started else [*reader.events, *reader.forks])
    return Recording(events, reader.names, reader.priorities, lost=reader.lost, interrupts=reader.flags)


@dataclass
class _Reader:
    where: str
    events: list[Switch | Wakeup] = field(default_factory=list)
    forks: list[Wakeup] = field(default_factory=list)  # for traces that do not say when a new task became runnable
    names: dict[int, str] = field(default_factory=dict)
    priorities: dict[int, int] = field(default_factory=dict)
    running: dict[int, int] = field(default_factory=dict)  # by CPU: compact events do not say who leaves
    lost: bool = False
    flags: bool = True
    room: int = field(default_factory=lambda: MAX_UNPACKED)

    def trace(self, data: bytes, *, packed: bool = False) -> None:
        for number, packet in fields(data):
            if number != _PACKET or isinstance(packet, int):
                continue
            for kind, value in fields(packet):
                if kind == _FTRACE and not isinstance(value, int):
                    self.bundle(value)
                elif kind == _COMPRESSED and not isinstance(value, int):
                    if packed:
                        raise Broken("compressed packets inside of compressed ones")
                    self.trace(self.unpacked(value), packed=True)

    def unpacked(self, data: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            found = unpacker.decompress(data, self.room + 1)
        except zlib.error as error:
            raise Broken(f"packets that cannot be unpacked: {error}") from None
        self.room -= len(found)
        if self.room < 0:
            raise InputError("trace-too-long", f"its packets unpack to over {MAX_UNPACKED} bytes", where=self.where)
        return found

    def bundle(self, data: bytes) -> None:
        parts = list(fields(data))
        cpu = next((value for number, value in parts if number == _CPU and isinstance(value, int)), 0)
        if cpu >= _MOST_CPUS:
            raise Broken(f"CPU {cpu}")
        for number, value in parts:
            if number == _LOST:
                self.lost |= bool(value)
            elif number == _EVENT and not isinstance(value, int):
                self.event(cpu, value)
            elif number == _COMPACT and not isinstance(value, int):
                self.compact(cpu, value)

    def event(self, cpu: int, data: bytes) -> None:
        parts = dict(fields(data))
        kind = next((one for one in _KINDS if one in parts), None)
        if kind is None:
            return
        body = parts[kind]
        if isinstance(body, int):
            raise Broken("an event without fields")
        found, time_ns = dict(fields(body)), _number(parts, _TIME)
        if kind == _SWITCH:
            self.know(_number(found, 2), _text(found, 1), _number(found, 3))
            self.know(_number(found, 6), _text(found, 5), _number(found, 7))
            self.switch(time_ns, cpu, _number(found, 2), _number(found, 4), _number(found, 6))
            return
        if kind == _FORK:
            self.forks.append(Wakeup(time_ns, _number(found, 4), _number(found, 2), new=True))
            return
        who, by = _number(found, 2), 0 if _number(parts, _FLAGS) & _INTERRUPT else _number(parts, _PID)
        self.flags &= kind == _NEW or _FLAGS in parts
        if who == by:  # scxtop 1.0 writes the woken task there
            by = self.running.get(cpu, 0)
        self.know(who, _text(found, 1), _number(found, 3))
        self.add(Wakeup(time_ns, who, by, new=kind == _NEW, waking=kind == _WAKING))

    def compact(self, cpu: int, data: bytes) -> None:
        """Columns of switches (1, 2, 3, 4, 6) and of wakings (7, 8, 10, 11, 12); times are steps."""
        parts: dict[int, list[int]] = {}
        comms: list[str] = []
        for number, value in fields(data):
            if isinstance(value, int):
                parts.setdefault(number, []).append(signed(value))
            elif number == _COMPACT_COMMS:
                comms.append(_words(value))
            else:
                parts.setdefault(number, []).extend(map(signed, varints(value)))
        self.flags &= 7 not in parts or 12 in parts
        switches = list(_rows(parts, (1, 2, 3, 4, 6)))
        wakings = list(_rows(parts, (7, 8, 10, 11, 12)))
        rows = [(*one, True) for one in switches] + [(*one, False) for one in wakings]
        for time_ns, *rest, is_switch in sorted(rows, key=lambda row: (row[0], row[-1])):
            if is_switch:
                state, after, prio, comm = rest
                self.know(after, _of(comms, comm), prio)
                self.switch(time_ns, cpu, self.running.get(cpu, 0), state, after)
            else:
                who, prio, comm, flags = rest
                self.know(who, _of(comms, comm), prio)
                by = 0 if flags & _INTERRUPT else self.running.get(cpu, 0)
                self.add(Wakeup(time_ns, who, by, new=False, waking=True))

    def switch(self, time_ns: int, cpu: int, before: int, state: int, after: int) -> None:
        self.running[cpu] = after
        why = state & _REASON
        self.add(Switch(time_ns, cpu, before, why == 0, bool(why & _EXITED), after))

    def add(self, event: Switch | Wakeup) -> None:
        if len(self.events) + len(self.forks) >= MAX_EVENTS:
            raise InputError("trace-too-long", f"more than {MAX_EVENTS} events", where=self.where)
        self.events.append(event)

    def know(self, thread: int, comm: str, prio: int) -> None:
        self.names[thread] = comm
        self.priorities.setdefault(thread, prio)


def _rows(columns: dict[int, list[int]], names: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """:raises Broken: columns of different lengths. Flags (12) are younger than the others, and may not be there."""
    first = columns.get(names[0], [])
    rest = [columns.get(name) or ([0] * len(first) if name == 12 else []) for name in names[1:]]
    if any(len(column) != len(first) for column in rest):
        raise Broken("columns of different lengths")
    return zip(accumulate(first), *rest, strict=True)


def _of(comms: list[str], index: int) -> str:
    if not 0 <= index < len(comms):
        raise Broken("a name that is not there")
    return comms[index]


def _number(parts: dict[int, int | bytes], number: int) -> int:
    value = parts.get(number, 0)
    if not isinstance(value, int):
        raise Broken(f"field {number} is no number")
    return signed(value)


def _text(parts: dict[int, int | bytes], number: int) -> str:
    value = parts.get(number, b"")
    if isinstance(value, int):
        raise Broken(f"field {number} is no text")
    return _words(value)


def _words(value: bytes) -> str:
    return value[:64].decode("utf-8", "replace")
