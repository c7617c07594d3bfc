"""All rules on one source."""

from __future__ import annotations

from schedops.model.policy import PolicySource
from schedops.model.verification import Finding
from schedops.verify.source.model import build
from schedops.verify.source.rules import CHECKS

_ORDER = {"error": 0, "warning": 1, "note": 2}


def check_source(source: PolicySource) -> tuple[Finding, ...]:
    """What the rules find in a policy's text: errors first, then by place."""
    model = build(source)
    found = dict.fromkeys(finding for check in CHECKS for finding in check.find(model))
    return tuple(sorted(found, key=_by_level_and_place))


def _by_level_and_place(finding: Finding) -> tuple[int, str, int, int, str]:
    place = finding.place
    where = (place.file, place.line, place.column) if place is not None else ("", 0, 0)
    return (_ORDER[finding.level], *where, finding.rule)
