from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from schedops.model.probe import ProbedSlot, ProbeReading
from schedops.report.profile_picture import profile_picture

NOTHING = ProbedSlot(run_ns=0, wait_ns=0, latency_max_ns=0)


def reading(*slots: ProbedSlot) -> ProbeReading:
    return ProbeReading(
        duration_ns=10**9, slot_ns=10_000_000, timer_wakeups=0, lost=0, classes=(), slots=slots
    )  # fmt: skip


def test_what_ran_stands_before_what_waited() -> None:
    busy = ProbedSlot(run_ns=20_000_000, wait_ns=30_000_000, latency_max_ns=5_000_000)
    picture = profile_picture(reading(NOTHING, busy, NOTHING), title="<b> & co", cpus=2)
    root = ET.fromstring(picture)
    assert root.attrib["aria-label"] == "<b> & co"
    lines = root.iter("{http://www.w3.org/2000/svg}line")
    tall = {one.attrib["stroke"]: abs(float(one.attrib["y1"]) - float(one.attrib["y2"])) for one in lines}
    running, both, longest = tall["#1f6feb"], tall["#d4a72c"], tall["#cf222e"]
    assert running == pytest.approx(both * 2 / 5)  # 2 tasks run, 3 wait
    assert longest == pytest.approx(120)  # the longest wait of all fills its panel
    assert b"2 CPUs" in picture


def test_nothing_counted_is_no_picture() -> None:
    with pytest.raises(ValueError, match="nothing"):
        profile_picture(reading(NOTHING, NOTHING), title="", cpus=2)
