"""``policies/LESSONS.md``: what was learnt, in a few lines that fit into anybody's head. Pure.

A lesson is one outcome in words with the digest of its evidence. Of a policy on a workload and a number of CPUs the
newest evidence counts; of more lessons than fit, the weakest go first and of equal ones the oldest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schedops.model.outcome import Effect, Outcome
from schedops.model.rung import MEASURED
from schedops.model.verdict import Verdict

PATH = "policies/LESSONS.md"
MAX_LESSONS = 60
MAX_BYTES = 64 << 10  # of a file that is read; what is written is a fifth of it
_HEAD = """\
# Lessons

What came of policies here, one line each, newest first; written by `schedops propose`, read by planners. A line is as
good as its evidence: the digest names it. At most 60 lines: the weakest go first, then the oldest.

"""
_SURE = {Verdict.PASS: 1.0, Verdict.FAIL: 0.8}
_UNSURE = 0.2
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LINE = re.compile(
    rf"- (?P<day>\d{{4}}-\d\d-\d\d) (?P<workload>{_NAME}) (?P<policy>{_NAME}) (?P<cpus>\d{{1,5}}) CPUs "
    r"\((?P<strength>\d\.\d\d)\): (?P<text>[^\n<>`]{1,400}) \[(?P<evidence>sha256:[0-9a-f]{64})\]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """:param strength: 0 .. 9.99: how sure the verdict is, and how large the effect.

    :param day: of the evidence, ISO 8601.
    """

    day: str
    workload: str
    policy: str
    cpus: int
    strength: float
    text: str
    evidence: str

    @property
    def about(self) -> tuple[str, str, int]:
        """Two lessons about the same contradict or repeat each other."""
        return self.workload, self.policy, self.cpus

    def __str__(self) -> str:
        """Its line."""
        head = f"- {self.day} {self.workload} {self.policy} {self.cpus} CPUs ({self.strength:.2f})"
        return f"{head}: {self.text} [{self.evidence}]"


def lesson_of(outcome: Outcome) -> Lesson:
    """An outcome in words."""
    effects = "; ".join(_effect(one) for one in outcome.effects) or "no effect could be told"
    params = "".join(f" {one.name}={one.value}" for one in outcome.params)
    kinds = ", ".join(outcome.classes) or "no class"
    text = f"{outcome.verdict.value} {outcome.rung},{params or ' default values'} ({kinds}): {effects}"
    sure = _SURE.get(outcome.verdict, _UNSURE) * (1.0 if outcome.rung in MEASURED else 0.3)
    size = max((abs(one.estimate) for one in outcome.effects if one.estimate is not None), default=0.0)
    return Lesson(
        day=outcome.created[:10],
        workload=outcome.workload,
        policy=outcome.policy,
        cpus=outcome.machine.cpus,
        strength=round(min(9.0, sure * (1 + size)), 2),
        text=re.sub(r"[<>`\n]", " ", text)[:400],
        evidence=outcome.evidence_sha256,
    )


def lessons_in(text: str) -> tuple[Lesson, ...]:
    """Those of a file; what is no lesson is left out, for the file may have been edited by anybody."""
    found = []
    for line in text[:MAX_BYTES].splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            values = match.groupdict()
            cpus, strength = int(values.pop("cpus")), float(values.pop("strength"))
            found.append(Lesson(cpus=cpus, strength=strength, **values))
    return tuple(found)


def learnt(known: Sequence[Lesson], outcomes: Iterable[Outcome]) -> tuple[Lesson, ...]:
    """Old and new ones: newest first, each about something else, no more than fit."""
    about: dict[tuple[str, str, int], Lesson] = {}
    for one in (*known, *map(lesson_of, outcomes)):
        other = about.get(one.about)
        if other is None or one.day >= other.day:
            about[one.about] = one
    strongest = sorted(about.values(), key=lambda one: (one.strength, one.day, one.about), reverse=True)
    return tuple(sorted(strongest[:MAX_LESSONS], key=lambda one: (one.day, one.about), reverse=True))


def lessons_file(lessons: Sequence[Lesson]) -> str:
    """The file; :func:`lessons_in` reads it back."""
    return _HEAD + "".join(f"{one}\n" for one in lessons)


def _effect(one: Effect) -> str:
    change = "unknown" if one.estimate is None else f"{one.estimate:+.1%}"
    between = f" [{one.low:+.1%}, {one.high:+.1%}]" if one.low is not None and one.high is not None else ""
    return f"{one.metric.replace('_', ' ')} {change}{between} against {one.baseline}"
