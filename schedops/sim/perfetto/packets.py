"""Perfetto's messages that a run needs, by the numbers of protos/perfetto/trace (Perfetto 59.1)."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.sim.perfetto.wire import fixed64, message, number, text

# TrackEvent.Type, TrackDescriptor.ChildTracksOrdering, TracePacket.SequenceFlags
SLICE_BEGIN, SLICE_END, INSTANT, COUNTER = 1, 2, 3, 4
_EXPLICIT = 3
_CLEARED, _NEEDS_STATE = 1, 2


def packet(sequence: int, *parts: bytes) -> bytes:
    """A packet of a trace (Trace.packet); it relies on the names of :func:`first_packet`."""
    return message(1, *parts, number(10, sequence), number(13, _NEEDS_STATE))


def first_packet(sequence: int, names: Sequence[str], categories: Sequence[str], annotations: Sequence[str]) -> bytes:
    """Begins a sequence and says its names, which events call by 1 + their place."""
    interned = [
        message(field, number(1, 1 + at), text(2, name))
        for field, words in ((1, categories), (2, names), (3, annotations))
        for at, name in enumerate(words)
    ]
    return message(1, message(12, *interned), number(10, sequence), number(13, _CLEARED), number(87, 1))


def process_track(uuid: int, pid: int, name: str) -> bytes:
    """A track that others are below of; they are shown by their rank."""
    process = message(3, number(1, pid), text(6, name))
    return message(60, number(1, uuid), process, number(11, _EXPLICIT))


def child_track(uuid: int, parent: int, name: str, rank: int, *, counter: bool = False) -> bytes:
    """A track of slices, or of values."""
    parts = [number(1, uuid), text(2, name), number(5, parent), number(12, rank)]
    return message(60, *parts, *([message(8)] if counter else []))


def event(
    time_ns: int,
    kind: int,
    track: int,
    *,
    name: int = 0,
    category: int = 0,
    annotation: tuple[int, int] | None = None,
    flow: int = 0,
    ends_flow: int = 0,
) -> bytes:
    """A slice's begin or end, or an instant.

    :param name: number of an interned name; *category* likewise; 0: none.
    :param annotation: number of an interned annotation name, and its value.
    """
    parts = [number(9, kind), number(11, track)]
    if name:
        parts.append(number(10, name))
    if category:
        parts.append(number(3, category))
    if annotation is not None:
        parts.append(message(4, number(1, annotation[0]), number(3, annotation[1])))
    if flow:
        parts.append(fixed64(47, flow))
    if ends_flow:
        parts.append(fixed64(48, ends_flow))
    return number(8, time_ns) + message(11, *parts)


def value(time_ns: int, track: int, amount: int) -> bytes:
    """A counter's new value."""
    return number(8, time_ns) + message(11, number(9, COUNTER), number(11, track), number(30, amount))
