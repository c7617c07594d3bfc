"""Events to lines."""

from __future__ import annotations

import pytest

from schedops.model.event import Event
from schedops.report.progress import Moment, duration, ended_line, moment_line, note_line


def event(kind="progress", **other):
    return Event(kind=kind, **{"stage": "bench", **other})


def test_ended_stages_have_mark_name_finding_and_seconds():
    found = event("finished", stage="profile", text="uneven CPU-bound builds, 92 jobs", seconds=8.06)

    assert ended_line(found).split() == ["✓", "profile", "uneven", "CPU-bound", "builds,", "92", "jobs", "8.1", "s"]
    assert ended_line(found, unicode=False).startswith("+ profile ")
    assert ended_line(event("failed", text="vm lost", seconds=1.0)).startswith("✗ bench     vm lost")
    assert ended_line(event("failed")) == "✗ bench"


def test_reused_stage_shows_no_seconds_because_it_took_none():
    line = ended_line(event("reused", text="30 runs", seconds=61.0))

    assert line == "= bench     30 runs (unchanged, from an earlier run)"


@pytest.mark.parametrize(
    ("elapsed", "fraction", "told", "left"),
    [
        (10.0, 0.25, None, 30.0),  # by its pace
        (10.0, 0.25, 50.0, 50.0),  # its own word counts
        (10.0, 0.5, None, None),  # 20 s in all: no estimate
        (1.0, 0.01, None, None),  # too early to say
        (40.0, None, None, None),
        (40.0, 0.0, None, None),
        (40.0, 1.0, None, 0.0),
    ],
)
def test_estimate(elapsed, fraction, told, left):
    assert Moment(event(fraction=fraction, remaining_s=told), elapsed).remaining_s == left


def test_moment_without_a_bar():
    moment = Moment(event(text="round 3 of 10, candidate", fraction=0.25), 25.0)

    assert moment_line(moment) == "  bench     round 3 of 10, candidate (25 %, 25 s so far, about 1 min 15 s left)"


def test_control_characters_of_a_guest_are_not_shown():
    assert note_line(event("note", text="a\x1b[31mb\r\nc\u202e")) == "· bench     a [31mb c"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s")])
def test_duration(seconds, text):
    assert duration(seconds) == text
