"""The role of learning: what a measured comparison came to, as lines of the policy's history and of the lessons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schedops.agent.lessons import PATH, learnt, lessons_file, lessons_in
from schedops.model.decision import Decision
from schedops.model.evidence import Evidence
from schedops.model.measurements import Measurements
from schedops.model.outcome import Outcome
from schedops.model.plan import Plan
from schedops.model.profile import Profile
from schedops.model.pull import FileChange
from schedops.model.workload import Workload
from schedops.pipeline.outcomes import outcome_of
from schedops.repository.history import appended, history_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the repository knows of earlier comparisons.

    :param outcomes: of every policy, oldest first.
    :param histories: the bytes of the files that they come from, by policy.
    :param lessons: the text of LESSONS.md.
    """

    outcomes: tuple[Outcome, ...] = ()
    histories: Mapping[str, bytes] = field(default_factory=dict)
    lessons: str = ""


NOTHING_REMEMBERED = Memory()


def outcome(
    workload: Workload,
    profile: Profile,
    plan: Plan,
    decision: Decision,
    measurements: Measurements,
    evidence: Evidence,
) -> Outcome | None:
    """What it came to; None where nobody recorded on which machine."""
    if measurements.environment is None:
        return None
    classes = [one.name for one in profile.classes]
    return outcome_of(workload, classes, plan.params, decision, evidence, environment=measurements.environment)


def remembered(memory: Memory, found: Outcome | None) -> tuple[FileChange, ...]:
    """The files that remember it: the history of its policy, and the lessons."""
    if found is None:
        return ()
    history = appended(memory.histories.get(found.policy, b""), [found])
    lessons = lessons_file(learnt(lessons_in(memory.lessons), [found]))
    return (
        FileChange(path=history_path(found.policy), content=history),
        FileChange(path=PATH, content=lessons.encode("utf-8")),
    )
