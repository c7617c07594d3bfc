"""The picture of two runs: what is drawn, that it is bounded, well formed, and the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.machine import flat_machine
from schedops.model.simulation import SimCgroup
from schedops.ports import SimScheduler
from schedops.sim.groups import groups_of, spans
from schedops.sim.picture.columns import IDLE, bars
from schedops.sim.picture.timeline import COLOURS, Panel, timeline
from schedops.sim.stream import Slice, slices
from tests.fakes.simulator import Simulator, plan_of_works

MS = 1_000_000
ROOT = SimCgroup(name="/", parent=-1)
SVG = "{http://www.w3.org/2000/svg}"


def panels(plan, cpus=2, names=("eevdf", "fifo")):
    simulator = Simulator()
    runs = [simulator.run(plan, flat_machine(cpus), SimScheduler(name), trace=True) for name in names]
    return [Panel(name, plan, run) for name, run in zip(names, runs, strict=True)]


def picture(plan, cpus=2, title="t", **more):
    return timeline(title, "simulated", panels(plan, cpus), groups_of(plan, **more))


def builds(count=3, works=12, work=20 * MS):
    cgroups = (ROOT, *(SimCgroup(name=f"/b{at}") for at in range(count)))
    return plan_of_works(*[work] * works, cgroups=cgroups)


def test_a_lane_for_each_cpu_in_both_panels_and_a_row_for_each_build():
    tree = ET.fromstring(picture(builds(), cpus=8, word="build"))
    words = [element.text for element in tree.iter(f"{SVG}text")]
    assert [word for word in words if word.startswith("CPU ")] == [f"CPU {cpu}" for cpu in range(8)] * 2
    assert [word for word in words if word.startswith("build ")] == ["build 1", "build 2", "build 3"] * 2
    assert words[:2] == ["t", "simulated"]
    assert {path.get("stroke") for path in tree.iter(f"{SVG}path")} == set(COLOURS[:3])


def test_the_length_of_the_rows_is_the_time_of_the_builds():
    plan = builds()
    tree = ET.fromstring(picture(plan, word="build"))
    dots = [float(dot.get("cx")) for dot in tree.iter(f"{SVG}circle")]
    ends = [span.end_ns for panel in panels(plan) for span in spans(groups_of(plan), panel.result)]
    assert len(dots) == len(ends) == 6
    until = max(panel.result.end_ns for panel in panels(plan))
    assert dots == pytest.approx([92 + 832 * end / until for end in ends], abs=0.06)


def test_what_is_hostile_is_escaped():
    name = '"><script>alert(1)</script>&\x1b'
    plan = replace(builds(), cgroups=(ROOT, *(SimCgroup(name=name) for _ in range(3))))
    data = picture(plan, title=name)
    assert b"<script" not in data
    assert b"\x1b" not in data
    ET.fromstring(data)


def test_nothing_is_loaded_from_elsewhere():
    data = picture(builds()).decode()
    assert re.findall(r"https?://[^\"]*", data) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|@import|@font-face|url\(|<image|<style|<foreignObject|on\w+=", data)


def test_equal_runs_give_equal_bytes():
    assert picture(builds()) == picture(builds())


@pytest.mark.parametrize("cpus", [1, 3, 8, 64, 172, 512])
def test_any_machine_fits(cpus):
    tree = ET.fromstring(picture(builds(works=2 * cpus, count=3), cpus=cpus))
    assert float(tree.get("height")) < 1400


def test_the_size_is_bounded_whatever_the_trace_holds():
    # Slices of 4 ms in turn, eight groups: nothing can be merged.
    plan = builds(count=8, works=200, work=400 * MS)
    both = panels(plan, cpus=8)
    assert sum(1 for _ in slices(both[0].result.trace, 0)) == 20_000
    assert len(timeline("t", "s", both, groups_of(plan))) < 200_000


def test_many_groups_have_one_row():
    plan = builds(count=40, works=80)
    tree = ET.fromstring(picture(plan))
    assert [element.text for element in tree.iter(f"{SVG}text")].count("40 ends") == 2
    assert sum(1 for _ in tree.iter(f"{SVG}circle")) == 80


def test_what_did_not_end_says_so():
    plan = builds()
    both = panels(plan)
    cut = replace(both[0].result, tasks=tuple(replace(task, completion_ns=-1) for task in both[0].result.tasks))
    data = timeline("t", "s", [Panel("eevdf", plan, cut), both[1]], groups_of(plan))
    assert data.count(b">not done<") == 3


def open_ended(note=""):
    # Nobody ends, and slices are a five-hundredth of the run.
    plan = builds()
    result = panels(builds(work=2000 * MS))[0].result
    cut = replace(result, tasks=tuple(replace(task, completion_ns=-1) for task in result.tasks))
    return [Panel("eevdf", plan, cut, (note,) * 3)], groups_of(plan)


def test_when_nothing_ends_and_slices_are_short_a_part_is_drawn_from_near():
    its, groups = open_ended()
    tree = ET.fromstring(timeline("t", "simulated", its, groups))
    subtitle = [element.text for element in tree.iter(f"{SVG}text")][1]
    assert subtitle == "simulated; 416 ms from 6 s on"
    lengths = [int(length) for path in tree.iter(f"{SVG}path") for length in re.findall(r"h(\d+)", path.get("d"))]
    assert set(lengths[1:-1]) <= {6, 7, 8}  # slices of 4 ms, with a gap between neighbours


def test_a_group_that_does_not_end_has_its_note():
    its, groups = open_ended("requests: 5 us")
    words = [element.text for element in ET.fromstring(timeline("t", "s", its, groups)).iter(f"{SVG}text")]
    assert words.count("requests: 5 us") == 3
    assert "not done" not in words


def test_without_cgroups_labels_are_the_groups():
    plan = plan_of_works(MS, MS, labels=("short", "long"))
    assert groups_of(plan).names == ("short", "long")
    assert groups_of(plan).of_task == (0, 1)


def test_whoever_has_most_of_a_column_has_it():
    found = bars(
        [Slice(0, 0, 0, 60, 0, False), Slice(0, 1, 60, 100, 0, False), Slice(0, 1, 100, 230, 0, False)],
        (0, 1), cpus=1, columns=4, until_ns=400,
    )  # fmt: skip
    assert [(bar.first, bar.last, bar.owner) for bar in found] == [(0, 1, 0), (1, 2, 1)]


times = st.lists(st.integers(0, 1000), min_size=2, max_size=40, unique=True).map(sorted)


@given(times, st.integers(1, 60))
def test_bars_do_not_overlap_and_stay_inside(ends, columns):
    its = [
        Slice(0, at % 3, start, end, 0, False)
        for at, (start, end) in enumerate(zip(ends[::2], ends[1::2], strict=False))
    ]
    found = bars(its, (0, 1, 2), cpus=1, columns=columns, until_ns=1000)
    assert all(0 <= bar.first < bar.last <= columns and bar.owner != IDLE for bar in found)
    assert all(one.last <= two.first for one, two in pairwise(found))
