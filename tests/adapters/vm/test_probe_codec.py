from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.vm import probe_codec as codec
from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.probe import PROBE_BUCKETS, ProbeReading, probe_bucket_bounds

COMM = (b"cc1" + bytes(13)).hex()
REPLY = f"""duration_ns 2000000000
slot_ns 20000000
timer_wakeups 7
lost 0
class 0 {COMM} 1 2 3 4 5 6 7 8 9 10 11
latency 0 3:1 255:2
burst 0
wakes 0 1:9
class 1 {(bytes([27]) + b"[0m ld" + bytes(9)).hex()} 0 0 0 0 0 0 0 0 0 0 0
latency 1
burst 1 7:4294967295
wakes 1 0:1 1:1
slot 1 2 3
slot 4 5 6
"""


def reading(text: str) -> ProbeReading:
    return codec.probe_reading(wire.parse_body(text.encode()))


def test_a_reading_says_everything() -> None:
    found = reading(REPLY)
    first, second = found.classes
    figures = (first.run_ns, first.wait_ns, first.sleep_ns, first.blocked_ns, first.switches, first.preemptions)
    assert (first.name, *figures) == ("cc1", 1, 2, 3, 4, 5, 6)
    assert (first.wakeups, first.migrations, first.forks, first.execs, first.exits) == (7, 8, 9, 10, 11)
    assert (first.latency, first.burst, first.wakes) == (((3, 1), (255, 2)), (), ((1, 9),))
    assert second.wakes == ((0, 1), (1, 1))
    assert [(slot.run_ns, slot.wait_ns, slot.latency_max_ns) for slot in found.slots] == [(1, 2, 3), (4, 5, 6)]
    assert (found.duration_ns, found.slot_ns, found.timer_wakeups, found.lost) == (2 * 10**9, 20_000_000, 7, 0)


def test_a_name_cannot_reach_the_terminal() -> None:
    assert reading(REPLY).classes[1].name == "?[0m?ld"


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("duration_ns 2000000000", "duration_ns 0"),
        ("duration_ns 2000000000", "duration_ns 3600000000001"),
        ("slot_ns 20000000", "slot_ns 0"),
        ("class 0", "class 2"),
        (COMM, COMM[:-2]),
        (f"{COMM} 1 2", f"{COMM} 1024000000001 2"),
        ("9 10 11", "9 10"),
        ("latency 0 3:1", "latency 1 3:1"),
        ("255:2", "256:2"),
        ("3:1 255:2", "255:2 3:1"),
        ("3:1 255:2", "3:1 3:2"),
        ("3:1", "3:0"),
        ("7:4294967295", "7:4294967296"),
        ("wakes 0 1:9", "wakes 0 2:9"),
        ("wakes 0 1:9\n", ""),
        ("slot 1 2 3", "slot 1 2"),
        ("slot 1 2 3", "slot 1 2 -3"),
    ],
)
def test_what_cannot_be_is_garbled(said: str, instead: str) -> None:
    assert said in REPLY
    with pytest.raises(wire.Garbled):
        reading(REPLY.replace(said, instead, 1))


def test_more_than_the_probes_can_count_is_garbled() -> None:
    with pytest.raises(wire.Garbled):
        reading(REPLY + "slot 1 2 3\n" * 511)


@given(st.text(alphabet="clasburtewkn 0123456789:\n-", max_size=200))
def test_nothing_else_than_garbled_comes_of_nonsense(text: str) -> None:
    try:
        reading(text)
    except wire.Garbled:
        return
    raise AssertionError(f"taken for a reading: {text!r}")


def test_the_request_is_the_slot_and_the_object() -> None:
    assert codec.probe_request(b"ELF", 1_000_000) == bytes.fromhex("40420f0000000000") + b"ELF"
    for slot_ns in (0, -1, 999, 60_000_000_001):
        with pytest.raises(InputError):
            codec.probe_request(b"", slot_ns)


def test_the_buckets_follow_each_other() -> None:
    bounds = [probe_bucket_bounds(bucket) for bucket in range(PROBE_BUCKETS)]
    assert all(one[1] == two[0] for one, two in pairwise(bounds))
    assert bounds[0] == (0, 1)
    assert bounds[4] == (4, 5)
    assert bounds[11] == (14, 16)
    assert all(low == 0 or (high - low) * 4 <= low or high - low == 1 for low, high in bounds)
