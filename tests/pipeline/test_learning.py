"""What a proposal remembers."""

from __future__ import annotations

from dataclasses import replace

from schedops.agent.lessons import lessons_in
from schedops.pipeline.learning import Memory, outcome, remembered
from schedops.repository.history import parse_history
from tests.fakes.dossier import dossier

MADE = dossier()


def found(measured=MADE.measurements):
    return outcome(MADE.workload, MADE.profile, MADE.plan, MADE.decision, measured, MADE.evidence)


def test_history_and_lessons_are_written_and_read_back():
    one = found()
    history, lessons = remembered(Memory(histories={"p": b""}), one)
    assert history.path == "policies/library/p/history.jsonl"
    assert parse_history(history.content, "p").value.outcomes == (one,)
    assert [lesson.policy for lesson in lessons_in(lessons.content.decode())] == ["p"]
    again = remembered(Memory(histories={"p": history.content}, lessons=lessons.content.decode()), one)
    assert again == (history, lessons)


def test_a_machine_that_nobody_recorded_teaches_nothing():
    assert found(replace(MADE.measurements, environment=None)) is None
    assert remembered(Memory(), None) == ()
