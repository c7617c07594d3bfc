"""All rules on one source."""

from __future__ import annotations

from schedops.model.policy import PolicySource
from schedops.model.verification import Finding, Place
from schedops.verify.source.model import Model, build
from schedops.verify.source.pages_limits import LIMIT
from schedops.verify.source.report import found
from schedops.verify.source.rules import CHECKS

_ORDER = {"error": 0, "warning": 1, "note": 2}
_MAX_PER_RULE = 20


def check_source(source: PolicySource) -> tuple[Finding, ...]:
    """What the rules find in a policy's text: errors first, then by place."""
    model = build(source)
    if model.cut:
        return (_too_much(source),)
    try:
        findings = _all(model)
    except (RecursionError, IndexError):  # nested without end, or torn: no C, and the compiler says so
        return (_too_much(source),)
    return tuple(sorted(findings, key=_by_level_and_place))


def _all(model: Model) -> list[Finding]:
    findings = sorted(
        dict.fromkeys(finding for check in CHECKS for finding in check.find(model)), key=_by_level_and_place
    )
    kept: list[Finding] = []
    counted: dict[str, int] = {}
    for finding in findings:
        counted[finding.rule] = counted.get(finding.rule, 0) + 1
        if counted[finding.rule] <= _MAX_PER_RULE:
            kept.append(finding)
    return kept


def _too_much(source: PolicySource) -> Finding:
    text = "there is more here than the rules can look at, after macros are expanded: what it does is not known"
    return found(LIMIT, Place(file=source.path), text, "split the policy, or make the macros smaller")


def _by_level_and_place(finding: Finding) -> tuple[int, str, int, int, str]:
    place = finding.place
    where = (place.file, place.line, place.column) if place is not None else ("", 0, 0)
    return (_ORDER[finding.level], *where, finding.rule)
