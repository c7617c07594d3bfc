"""The trace, read back with Perfetto's own messages (package ``perfetto``)."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from schedops.model.machine import flat_machine
from schedops.model.simulation import TRACE_RECORD, TraceKind
from schedops.ports import SimScheduler
from schedops.sim.perfetto import wire
from schedops.sim.perfetto.protobuf import perfetto_trace
from schedops.sim.stream import Traced, slices
from tests.fakes.simulator import Simulator, plan_of_works

MS = 1_000_000
Event = pb.TrackEvent


def traced(name="eevdf on flat-2, simulated", scheduler="eevdf", plan=None):
    plan = plan or plan_of_works(10 * MS, 6 * MS, 3 * MS)
    return Traced(name, plan, Simulator().run(plan, flat_machine(2), SimScheduler(scheduler), trace=True))


def parsed(*runs):
    trace = pb.Trace()
    trace.ParseFromString(b"".join(perfetto_trace(runs)))
    return trace


def of_type(trace, kind):
    return [packet for packet in trace.packet if packet.HasField("track_event") and packet.track_event.type == kind]


def unknown_fields(message):
    count = len(UnknownFieldSet(message))
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for part in value if not hasattr(value, "ListFields") else [value]:
                count += unknown_fields(part)
    return count


def test_perfetto_knows_every_field():
    trace = parsed(traced(), traced("fifo", "fifo"))
    assert len(trace.packet) > 20
    assert sum(map(unknown_fields, trace.packet)) == 0


def test_a_process_for_each_run_and_a_track_for_each_cpu():
    descriptors = [p.track_descriptor for p in parsed(traced("a"), traced("b", "fifo")).packet]
    descriptors = [one for one in descriptors if one.uuid]
    processes = [one for one in descriptors if one.HasField("process")]
    assert [(one.process.pid, one.process.process_name) for one in processes] == [(1, "a"), (2, "b")]
    assert {one.child_ordering for one in processes} == {pb.TrackDescriptor.EXPLICIT}
    for process in processes:
        children = [one for one in descriptors if one.parent_uuid == process.uuid and not one.HasField("counter")]
        assert [(one.name, one.sibling_order_rank) for one in children] == [("CPU 0", 0), ("CPU 1", 1)]
    assert len({one.uuid for one in descriptors}) == len(descriptors)


def test_slices_are_those_of_the_run_with_their_names():
    run = traced()
    trace = parsed(run)
    first = trace.packet[0]
    assert first.sequence_flags == pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
    assert all(p.sequence_flags == pb.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE for p in trace.packet[1:])
    assert {p.trusted_packet_sequence_id for p in trace.packet} == {1}
    names = {name.iid: name.name for name in first.interned_data.event_names}
    categories = {one.iid: one.name for one in first.interned_data.event_categories}
    found, begun = [], {}
    for packet in trace.packet:
        event = packet.track_event
        if event.type == Event.TYPE_SLICE_BEGIN:
            assert event.track_uuid not in begun
            assert [categories[iid] for iid in event.category_iids] == ["run"]
            begun[event.track_uuid] = (packet.timestamp, names[event.name_iid], event.debug_annotations[0].uint_value)
        elif event.type == Event.TYPE_SLICE_END:
            start, name, waited = begun.pop(event.track_uuid)
            found.append((event.track_uuid, name, start, packet.timestamp, waited))
    assert begun == {}
    base = 1 << 32
    assert found == [
        (base + 1 + one.cpu, f"job-{one.task}:{one.task}", one.start_ns, one.end_ns, one.wait_ns)
        for one in slices(run.result.trace, run.result.end_ns)
    ]


def test_a_wake_up_flows_to_the_slice_that_follows():
    trace = parsed(traced())
    begun = {flow: p for p in of_type(trace, Event.TYPE_INSTANT) for flow in p.track_event.flow_ids}
    ended = {flow: p for p in of_type(trace, Event.TYPE_SLICE_BEGIN) for flow in p.track_event.terminating_flow_ids}
    assert begun.keys() == ended.keys()
    assert len(begun) == 6  # every turn of every task, in this simulator
    for flow, packet in begun.items():
        assert packet.track_event.name_iid == ended[flow].track_event.name_iid
        assert packet.timestamp <= ended[flow].timestamp


def test_a_counter_for_each_dispatch_queue():
    run = traced()
    stream = [
        (1, 5, 0, TraceKind.QUEUE, 3), (2, 1 << 63 | 1, 1, TraceKind.QUEUE, 9), (3, 5, 0, TraceKind.QUEUE, 2),
    ]  # fmt: skip
    records = b"".join(
        struct.pack(TRACE_RECORD, time, queue, count, cpu, kind) for time, queue, cpu, kind, count in stream
    )
    trace = parsed(run._replace(result=replace(run.result, trace=records)))
    tracks = {
        p.track_descriptor.uuid: p.track_descriptor.name for p in trace.packet if p.track_descriptor.HasField("counter")
    }
    values = [
        (tracks[p.track_event.track_uuid], p.timestamp, p.track_event.counter_value)
        for p in of_type(trace, Event.TYPE_COUNTER)
    ]
    assert values == [("DSQ 5", 1, 3), ("DSQ global", 2, 9), ("DSQ 5", 3, 2)]


def test_what_still_runs_at_the_end_is_closed():
    run = traced()
    cut = run._replace(result=replace(run.result, trace=run.result.trace[: 24 * 3], end_ns=77))
    trace = parsed(cut)
    assert len(of_type(trace, Event.TYPE_SLICE_BEGIN)) == len(of_type(trace, Event.TYPE_SLICE_END)) > 0
    assert of_type(trace, Event.TYPE_SLICE_END)[-1].timestamp == 77


def test_equal_runs_give_equal_bytes():
    assert list(perfetto_trace([traced()])) == list(perfetto_trace([traced()]))


def test_a_trace_that_is_cut_off_is_noticed():
    run = traced()
    with pytest.raises(ValueError, match="middle"):
        parsed(run._replace(result=replace(run.result, trace=run.result.trace[:-1])))


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(0, (1 << 64) - 1), st.text())
def test_the_encoder_writes_what_protobuf_reads(small, large, words):
    words = words.encode("utf-8", "replace").decode()
    data = wire.number(12, small) + wire.number(1, large) + wire.text(2, words)
    assert pb.TrackDescriptor.FromString(data) == pb.TrackDescriptor(sibling_order_rank=small, uuid=large, name=words)
    assert list(pb.TrackEvent.FromString(wire.fixed64(47, large)).flow_ids) == [large]
