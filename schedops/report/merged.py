"""Findings of several kernels brought together: what is the same is one, with the kernels named. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schedops.model.verification import Check, Finding, Place, VerificationReport

_STATIC = ("source", "compile", "object")
_LEVELS = ("error", "warning", "note")
# Waits, addresses and instruction numbers differ from run to run; the finding is still the same.
_FIGURE = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Merged:
    """One finding, wherever it showed.

    :param kernels: where, in the report's order; empty for a stage that needs none.
    :param texts: (kernel, its words) where they differ from those of *finding*.
    :param related: notes of the same rule that show the other places it is about.
    """

    finding: Finding
    stage: str
    kernels: tuple[str, ...]
    texts: tuple[tuple[str, str], ...] = ()
    related: tuple[Finding, ...] = ()


def merged(report: VerificationReport) -> tuple[Merged, ...]:
    """Errors first, then warnings, then notes; among these in the order of the stages, then of the source."""
    groups: dict[tuple[object, ...], list[tuple[Check, Finding]]] = {}
    for check in report.checks:
        nth: Counter[str] = Counter()
        for finding in check.findings:
            nth[finding.rule] += 1
            groups.setdefault(_key(check, finding, nth[finding.rule]), []).append((check, finding))
    found = [_together(members) for members in groups.values()]
    return _joined(sorted(found, key=lambda one: _order(one, report.stages)))


def kernels_of(report: VerificationReport) -> tuple[str, ...]:
    """The kernels that something was verified on, in the report's order."""
    return tuple(dict.fromkeys(check.kernel for check in report.checks if check.kernel))


def _key(check: Check, finding: Finding, nth: int) -> tuple[object, ...]:
    if check.stage not in _STATIC and finding.place is None:
        # What tasks see is never said in the same words twice; it is the same rule that is broken.
        return check.stage, finding.rule, finding.level, nth
    return check.stage, finding.rule, finding.level, finding.place, _FIGURE.sub("#", finding.text)


def _together(members: list[tuple[Check, Finding]]) -> Merged:
    check, finding = members[0]
    kernels = tuple(dict.fromkeys(one.kernel for one, _ in members if one.kernel))
    others = {one.kernel: said.text for one, said in members[1:] if said.text != finding.text}
    return Merged(finding, check.stage, kernels, tuple(others.items()))


def _joined(found: Sequence[Merged]) -> tuple[Merged, ...]:
    """With notes that have a place at the last error or warning of their rule instead of behind everything."""
    owners = {(one.stage, one.finding.rule): at for at, one in enumerate(found) if one.finding.level != "note"}
    joined, related = dict(enumerate(found)), dict[int, list[Finding]]()
    for at, one in enumerate(found):
        owner = owners.get((one.stage, one.finding.rule))
        if owner is not None and one.finding.level == "note" and one.finding.place:
            related.setdefault(owner, []).append(one.finding)
            del joined[at]
    return tuple(replace(one, related=tuple(related.get(at, ()))) for at, one in joined.items())


def _order(one: Merged, stages: tuple[str, ...]) -> tuple[object, ...]:
    level, place = one.finding.level, one.finding.place or Place(file="")
    at = stages.index(one.stage) if one.stage in stages else len(stages)
    rank = _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)
    return rank, at, not place.file, place.file, place.line, place.column
