"""Perfetto's own messages read back as what the text of the same recording says; and bytes that nobody wrote."""

from __future__ import annotations

import contextlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from schedops.errors import InputError
from schedops.sim.perfetto import ftrace
from schedops.sim.perfetto.ftrace import ftrace_recording
from schedops.sim.programs.trace_file import recording_in
from schedops.sim.programs.trace_text import Recording, Wakeup, recording
from tests.sim.perfetto.traces import trace_of
from tests.sim.programs.test_trace import SHORT

IN_TEXT = recording(SHORT, where="t")
STARTED = recording(SHORT.replace("sched_wakeup: b b", "sched_wakeup_new: b b"), where="t")


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("found", [IN_TEXT, STARTED])
def test_a_trace_is_what_its_text_is(found: Recording, compact: bool, packed: bool) -> None:
    data = trace_of(found, compact=compact, packed=packed)
    read = ftrace_recording(data, where="t")
    assert read == recording_in(data, where="t")
    assert read.events == found.events
    assert {name for thread, name in read.names.items() if thread} == {"a", "b b"}
    assert read.priorities == found.priorities
    assert not read.lost


def test_an_interrupt_is_nobody() -> None:
    read = ftrace_recording(trace_of(IN_TEXT, compact=False), where="t")
    assert [(one.who, one.by) for one in read.events if isinstance(one, Wakeup)] == [(102, 101), (101, 0)]


def test_a_wakeup_that_is_recorded_twice_counts_once() -> None:
    trace = pb.Trace.FromString(trace_of(IN_TEXT, compact=False))
    event = trace.packet[1].ftrace_events.event.add(timestamp=10_001_500_000, pid=0)
    event.sched_wakeup.pid = 102
    assert ftrace_recording(trace.SerializeToString(), where="t").events == IN_TEXT.events
    text = SHORT + "\n a-101 [000] d..4. 10.000999000: sched_waking: comm=b b pid=102 prio=125 target_cpu=001"
    wakeups = [one for one in recording(text, where="t").events if isinstance(one, Wakeup)]
    assert [(one.who, one.time_ns) for one in wakeups] == [(102, 10_000_999_000)]


def test_a_waker_that_is_the_woken_one_is_whoever_ran_there_and_forks_begin_tasks() -> None:
    trace = pb.Trace.FromString(trace_of(STARTED, compact=False))
    for event in trace.packet[1].ftrace_events.event:
        if event.HasField("sched_waking"):
            event.pid = event.sched_waking.pid
        elif event.HasField("sched_wakeup_new"):
            event.sched_process_fork.parent_pid, event.sched_process_fork.child_pid = 101, 102
    assert ftrace_recording(trace.SerializeToString(), where="t").events == STARTED.events


@pytest.mark.parametrize("compact", [False, True])
def test_without_flags_nobody_knows_what_interrupts_did(compact: bool) -> None:
    trace = pb.Trace.FromString(trace_of(IN_TEXT, compact=compact))
    assert ftrace_recording(trace.SerializeToString(), where="t").interrupts
    bundle = trace.packet[1].ftrace_events
    del bundle.compact_sched.waking_common_flags[:]
    for event in bundle.event:
        event.ClearField("common_flags")
    assert not ftrace_recording(trace.SerializeToString(), where="t").interrupts


def test_lost_events_are_said() -> None:
    trace = pb.Trace.FromString(trace_of(IN_TEXT, compact=False))
    trace.packet[1].ftrace_events.lost_events = True
    assert ftrace_recording(trace.SerializeToString(), where="t").lost


def column(**columns: list[int]) -> bytes:
    trace = pb.Trace.FromString(trace_of(IN_TEXT, compact=True))
    for name, values in columns.items():
        getattr(trace.packet[1].ftrace_events.compact_sched, name)[:] = values
    return trace.SerializeToString()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-trace"),
        (b"\n\x02\x08", "bad-trace"),
        (b"\n\x00" + b"\xff" * 20, "bad-trace"),
        (b"\x0b", "bad-trace"),  # a group
        (pb.Trace(packet=[pb.TracePacket(timestamp=3)]).SerializeToString(), "no-trace"),
        (pb.Trace(packet=[pb.TracePacket(compressed_packets=b"no")]).SerializeToString(), "bad-trace"),
        (trace_of(IN_TEXT, compact=True)[:-1], "bad-trace"),
        (column(switch_next_comm_index=[99, 0, 0, 0, 0]), "bad-trace"),
        (column(switch_next_pid=[1]), "bad-trace"),
        (trace_of(IN_TEXT, compact=False).replace(b"\x08\x01\x12", b"\x08\x80\x80\x04\x12", 1), "bad-trace"),
    ],
)
def test_bytes_that_are_no_recording(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as refused:
        ftrace_recording(data, where="t")
    assert refused.value.code == code


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftrace, "MAX_UNPACKED", 1000)
    bomb = pb.TracePacket(compressed_packets=zlib.compress(b"\0" * 100_000))
    inside = pb.TracePacket(compressed_packets=zlib.compress(pb.Trace(packet=[bomb]).SerializeToString()))
    for packet, code in ((bomb, "trace-too-long"), (inside, "bad-trace")):
        data = pb.Trace(packet=[packet]).SerializeToString()
        with pytest.raises(InputError) as refused:
            ftrace_recording(data, where="t")
        assert refused.value.code == code


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftrace, "MAX_EVENTS", 3)
    with pytest.raises(InputError, match="more than 3 events"):
        ftrace_recording(trace_of(IN_TEXT, compact=False), where="t")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_trace_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(trace_of(IN_TEXT, compact=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        ftrace_recording(bytes(whole), where="t")


def test_text_is_taken_for_text() -> None:
    assert recording_in(("\n" + SHORT).encode(), where="t") == IN_TEXT
