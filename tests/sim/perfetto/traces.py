"""Perfetto traces by Perfetto's own messages, of the events that a recording in text has."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as messages

from schedops.sim.programs.trace_text import Recording, Switch, Wakeup

HARDIRQ = 8
STATES = {(True, False): 0x100, (False, False): 1, (False, True): 0x10}  # preempted, sleeping, dead


def trace_of(found: Recording, *, compact: bool, packed: bool = False) -> bytes:
    """A bundle for each CPU; wake-ups are on the first one."""
    trace = messages.Trace()
    trace.packet.add(timestamp=1).clock_snapshot.SetInParent()
    cpus = sorted({event.cpu for event in found.events if isinstance(event, Switch)})
    for cpu in cpus:
        mine = [one for one in found.events if (one.cpu if isinstance(one, Switch) else cpus[0]) == cpu]
        bundle = trace.packet.add().ftrace_events
        bundle.cpu = cpu
        if compact:
            _columns(bundle.compact_sched, mine, found)
            mine = [one for one in mine if isinstance(one, Wakeup) and one.new]
        for event in mine:
            _event(bundle.event.add(), event, found)
        bundle.event.add(timestamp=5, pid=7).print.buf = "not ours"
    data = trace.SerializeToString()
    return messages.Trace(packet=[_packed(data)]).SerializeToString() if packed else data


def _packed(data: bytes) -> messages.TracePacket:
    return messages.TracePacket(compressed_packets=zlib.compress(data))


def _event(out, event: Switch | Wakeup, found: Recording) -> None:
    out.timestamp = event.time_ns
    if isinstance(event, Switch):
        out.pid, body = event.before, out.sched_switch
        body.prev_comm, body.prev_pid, body.prev_prio = _who(event.before, found)
        body.prev_state = STATES[event.runnable, event.gone]
        body.next_comm, body.next_pid, body.next_prio = _who(event.after, found)
        return
    out.pid, out.common_flags = event.by or 99, 0 if event.by else HARDIRQ
    body = out.sched_wakeup_new if event.new else out.sched_waking
    body.comm, body.pid, body.prio = _who(event.who, found)


def _who(thread: int, found: Recording) -> tuple[str, int, int]:
    return found.names.get(thread, "swapper"), thread, found.priorities.get(thread, 120)


def _columns(out, events: Sequence[Switch | Wakeup], found: Recording) -> None:
    threads = sorted({*found.names, 0})
    out.intern_table.extend(found.names.get(one, "swapper") for one in threads)
    switches = [one for one in events if isinstance(one, Switch)]
    wakings = [one for one in events if isinstance(one, Wakeup) and not one.new]
    out.switch_timestamp.extend(_steps(switches))
    out.waking_timestamp.extend(_steps(wakings))
    for one in switches:
        out.switch_prev_state.append(STATES[one.runnable, one.gone])
        out.switch_next_pid.append(one.after)
        out.switch_next_prio.append(found.priorities.get(one.after, 120))
        out.switch_next_comm_index.append(threads.index(one.after))
    for one in wakings:
        out.waking_pid.append(one.who)
        out.waking_target_cpu.append(0)
        out.waking_prio.append(found.priorities.get(one.who, 120))
        out.waking_comm_index.append(threads.index(one.who))
        out.waking_common_flags.append(0 if one.by else HARDIRQ)


def _steps(events: Sequence[Switch | Wakeup]) -> list[int]:
    times = [0, *(one.time_ns for one in events)]
    return [later - earlier for earlier, later in itertools.pairwise(times)]
