from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schedops.workloads.learn.launches import launches

LOG = b"""schedops-hint-log 1
00000000000000aa 1500 2000 0 1763683200
00000000000000bb 700 900 1 1763683200
00000000000000cc 0 100 0 1763683200
schedops-hint-log 1
00000000000000aa 2500 2000 0 1763769600
00000000000000dd 9 9 0 99999999999
nonsense
00000000000000ee 15"""


def test_launches_that_succeeded_and_used_the_cpu():
    found, broken = launches(LOG, today="2026-11-21")
    assert [(one.key[-2:], one.us, one.date, one.clock) for one in found] == [
        ("aa", 1500, "2025-11-21", "cpu"),
        ("aa", 2500, "2025-11-22", "cpu"),
        ("dd", 9, "2026-11-21", "cpu"),
    ]
    assert broken == 2


@given(st.binary() | st.text("0123456789abcdef \n").map(str.encode))
def test_any_file_can_be_read(data):
    found, broken = launches(data, today="2026-11-21")
    assert len(found) + broken <= data.count(b"\n") + 1
    assert all(one.us > 0 for one in found)
