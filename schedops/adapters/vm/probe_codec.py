"""Readings of the probes out of the guest's replies. Pure; everything read here is untrusted.

The format is written down in ``schedops/guest/probe.c``.
"""

from __future__ import annotations

import re

from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.probe import PROBE_BUCKETS, ProbedClass, ProbedSlot, ProbeReading

MAX_CLASSES = 64
MAX_SLOTS = 512
_MAX_S = 3600
_MAX_CPUS = 512
_MAX_COUNT = (1 << 32) - 1
_PAIR = re.compile(r"([0-9]{1,3}):([0-9]{1,10})")
_COMM = re.compile(r"(?:[0-9a-f]{2}){16}")
_FIGURES = 11


def probe_request(elf: bytes, slot_ns: int) -> bytes:
    """:raises InputError: a slot that is not 1 us .. 60 s long."""
    if not 1_000 <= slot_ns <= 60_000_000_000:
        raise InputError("probe-slot", f"a slot of {slot_ns} ns: 1,000 to 60,000,000,000 can be")
    return slot_ns.to_bytes(8, "little") + elf


def probe_reading(body: wire.Body) -> ProbeReading:
    """:raises Garbled: a field is missing, of another type, or says what cannot be."""
    duration_ns = body.bounded("duration_ns", _MAX_S * 10**9)
    if duration_ns == 0:
        raise wire.Garbled("no probes were there to be read")
    slot_ns = body.number("slot_ns")
    rows, slots = body.all("class"), body.all("slot")
    if len(rows) > MAX_CLASSES or len(slots) > MAX_SLOTS or slot_ns == 0:
        raise wire.Garbled(f"{len(rows)} classes, {len(slots)} slots of {slot_ns} ns")
    places = (("latency", PROBE_BUCKETS), ("burst", PROBE_BUCKETS), ("wakes", len(rows)))
    counted = [_counts(body, name, len(rows), most) for name, most in places]
    classes = tuple(_class(row, index, counted, duration_ns) for index, row in enumerate(rows))
    return ProbeReading(
        duration_ns=duration_ns,
        slot_ns=slot_ns,
        timer_wakeups=body.number("timer_wakeups"),
        lost=body.number("lost"),
        classes=classes,
        slots=tuple(_slot(row) for row in slots),
    )


def _class(row: str, index: int, counted: list[list[tuple[tuple[int, int], ...]]], duration_ns: int) -> ProbedClass:
    number, _, rest = row.partition(" ")
    comm, _, figures = rest.partition(" ")
    if number != str(index) or not _COMM.fullmatch(comm):
        raise wire.Garbled(f"no class: {row[:40]!r}")
    run, wait, sleep, blocked, switches, preempted, woken, moved, forks, execs, exits = wire.numbers(figures, _FIGURES)
    if run > duration_ns * _MAX_CPUS:
        raise wire.Garbled(f"{run} ns of CPU time in {duration_ns} ns")
    latency, burst, wakes = (histogram[index] for histogram in counted)
    return ProbedClass(
        name=_name(comm),
        run_ns=run,
        wait_ns=wait,
        sleep_ns=sleep,
        blocked_ns=blocked,
        switches=switches,
        preemptions=preempted,
        wakeups=woken,
        migrations=moved,
        forks=forks,
        execs=execs,
        exits=exits,
        latency=latency,
        burst=burst,
        wakes=wakes,
    )


def _name(comm: str) -> str:
    # A task may call itself anything.
    text = bytes.fromhex(comm).split(b"\0")[0]
    return "".join(chr(byte) if 0x21 <= byte < 0x7F else "?" for byte in text) or "?"


def _counts(body: wire.Body, name: str, classes: int, places: int) -> list[tuple[tuple[int, int], ...]]:
    rows = body.all(name)
    if len(rows) != classes:
        raise wire.Garbled(f"{len(rows)} times {name!r} for {classes} classes")
    return [_pairs(row, index, places) for index, row in enumerate(rows)]


def _pairs(row: str, index: int, places: int) -> tuple[tuple[int, int], ...]:
    first, *words = row.split() or [""]
    matches = [_PAIR.fullmatch(word) for word in words]
    if first != str(index) or None in matches:
        raise wire.Garbled(f"no counts of class {index}: {row[:40]!r}")
    pairs = tuple((int(match[1]), int(match[2])) for match in matches if match)
    at = [place for place, _ in pairs]
    if at != sorted(set(at)) or any(place >= places or not 0 < n <= _MAX_COUNT for place, n in pairs):
        raise wire.Garbled(f"counts of class {index} that cannot be: {row[:40]!r}")
    return pairs


def _slot(row: str) -> ProbedSlot:
    run, wait, longest = wire.numbers(row, 3)
    return ProbedSlot(run_ns=run, wait_ns=wait, latency_max_ns=longest)
