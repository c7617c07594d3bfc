"""The picture: well formed, without scripts, drawn from whatever was measured."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.propose.picture import picture
from schedops.report.svg import ticks
from tests.fakes.dossier import dossier
from tests.fakes.measurements import spoil

SVG = "{http://www.w3.org/2000/svg}"


def drawn(made):
    return ET.fromstring(picture(made))


def words(root):
    return [node.text for node in root.iter(f"{SVG}text")]


def test_arms_medians_unit_and_verdicts_are_named():
    root = drawn(dossier())
    told = words(root)

    for word in ("EEVDF", "informed default", "candidate", "100", "97.0", "80.0", "objective: PASS", "guard: PASS"):
        assert word in told
    assert "makespan [ms], one line per round" in told
    assert root.find(f"{SVG}title").text == "w: p against EEVDF and the informed default"


def test_one_dot_per_round_and_arm_and_per_interval():
    assert len(list(drawn(dossier()).iter(f"{SVG}circle"))) == 10 * 3 + 3 * 2 + 2  # dots, estimates, legend


@pytest.mark.parametrize("changes", [{"rounds": 4}, {"informed": 0.8, "candidate": 1.2}, {"rounds": 0}])
def test_little_or_nothing_measured_still_gives_a_picture(changes):
    assert drawn(dossier(**changes)).tag == f"{SVG}svg"


def test_an_arm_without_valid_runs_is_said():
    made = dossier()
    spoiled = spoil(made.measurements, "candidate", set(range(10)))

    assert "not measured" in words(drawn(dossier(measurements=spoiled)))


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=40), st.floats(0.01, 100))
def test_well_formed_whatever_the_names_and_figures(name, share):
    made = dossier(candidate=share)
    made = replace(made, policy=replace(made.policy, name=name + "<script>&\"'"))
    root = drawn(made)

    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {"svg", "title", "rect", "text", "line", "circle"}
    assert b"<script" not in picture(made)


def test_equal_dossiers_give_equal_bytes():
    assert picture(dossier()) == picture(dossier())


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_are_few_and_inside(low, span):
    found = ticks(low, low + span)

    assert 1 <= len(found) <= 12 or span == 0
    slack = 1e-6 * max(1.0, abs(low), span)
    assert all(low - slack <= tick <= low + span + slack for tick in found)
