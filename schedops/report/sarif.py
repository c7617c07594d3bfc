"""A verification report as SARIF 2.1.0, for code scanning and editors. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.report.envelope import Failure
from schedops.report.merged import Merged, kernels_of, merged
from schedops.report.progress import visible
from schedops.report.rulebook import RuleWords, page, page_address
from schedops.report.verification import line_at, texts_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"  # relative addresses are relative to the repository
_MAX_TEXT = 2000
_MAX_RELATED = 20
_PRECISION = {"error": "high", "warning": "medium", "note": "low"}
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def render_sarif(
    verified: Sequence[tuple[VerificationReport, PolicySource | PrebuiltPolicy]],
    rules: Mapping[str, RuleWords],
    *,
    version: str,
) -> str:
    """One run for each policy, with one result for each finding; no final newline.

    A finding of several kernels is one result that names them. What could not be measured is a notification, and the
    execution then counts as unsuccessful: no result is not the same as nothing wrong.

    :param rules: by id; those that the report mentions go with it.
    :param version: of this program.
    """
    return _document([_run(report, subject, rules, version) for report, subject in verified])


def _run(
    report: VerificationReport, subject: PolicySource | PrebuiltPolicy, rules: Mapping[str, RuleWords], version: str
) -> dict[str, Any]:
    found, texts = merged(report), texts_of(subject)
    ids = tuple(dict.fromkeys(one.finding.rule for one in found))
    seen: Counter[str] = Counter()
    return {
        "tool": _tool(version, [_rule(rules.get(rule_id), rule_id) for rule_id in ids]),
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the directory that holds policies/"}}},
        "results": [_result(one, ids, subject.path, texts, seen) for one in found],
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"schedops-verify/{_quoted(report.policy)}/"},
        "properties": {
            "verdict": report.verdict.value,
            "stages": list(report.stages),
            "kernels": list(kernels_of(report)),
            "kernelsMissing": list(report.kernels_missing),
        },
    }


def render_failure_sarif(failure: Failure, *, exit_code: int, version: str) -> str:
    """For when there is no report: the input cannot be read, or a tool is missing."""
    text = ": ".join(visible(part) for part in (failure.message, failure.hint) if part)
    note = {"level": "error", "message": {"text": text[:_MAX_TEXT]}, "descriptor": {"id": failure.code}}
    invocation = {"executionSuccessful": False, "exitCode": exit_code, "toolConfigurationNotifications": [note]}
    return _document([{"tool": _tool(version, []), "invocations": [invocation], "results": []}])


def _document(runs: list[dict[str, Any]]) -> str:
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, allow_nan=False)


def _tool(version: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    address = page_address("README")
    return {"driver": {"name": "schedops", "version": version, "informationUri": address, "rules": rules}}


def _rule(rule: RuleWords | None, rule_id: str) -> dict[str, Any]:
    if rule is None:
        return {"id": rule_id}
    text = page(rule)
    return {
        "id": rule_id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": " ".join(rule.why.split())[:_MAX_TEXT]},
        "help": {"text": text, "markdown": text},
        "helpUri": page_address(rule_id),
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": ["sched_ext", rule.stage], "precision": _PRECISION.get(rule.level, "low")},
    }


def _result(
    one: Merged, ids: tuple[str, ...], path: str, texts: Mapping[str, str], seen: Counter[str]
) -> dict[str, Any]:
    finding = one.finding
    # Code scanning shows only what has a place: the policy as a whole is one.
    place = finding.place or Place(file=path)
    result = {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": finding.level,
        "message": {"text": _message(one)},
        "locations": [{"physicalLocation": _location(place, texts)}],
        "partialFingerprints": {"schedopsFinding/v1": _fingerprint(one, place, texts, seen)},
        "properties": {"stage": one.stage, "kernels": list(one.kernels)},
    }
    if related := [_related(note, texts) for note in one.related[:_MAX_RELATED] if note.place]:
        result["relatedLocations"] = related
    return result


def _related(note: Finding, texts: Mapping[str, str]) -> dict[str, Any]:
    place = note.place or Place(file="")
    return {"physicalLocation": _location(place, texts), "message": {"text": visible(note.text)[:_MAX_TEXT]}}


def _message(one: Merged) -> str:
    parts = [visible(one.finding.text)[:_MAX_TEXT]]
    if one.kernels:
        parts.append(f"On {', '.join(visible(kernel) for kernel in one.kernels)}.")
    parts += [f"On {visible(kernel)}: {visible(text)[:_MAX_TEXT]}" for kernel, text in one.texts]
    if one.finding.advice:
        parts.append(f"Help: {visible(one.finding.advice)[:_MAX_TEXT]}")
    return "\n".join(parts)


def _location(place: Place, texts: Mapping[str, str]) -> dict[str, Any]:
    artifact: dict[str, Any] = {"uri": _address(place.file)}
    if not place.file.startswith("/"):
        artifact["uriBaseId"] = _ROOT
    region: dict[str, Any] = {"startLine": max(place.line, 1)}
    if place.line:
        region["startColumn"] = max(place.column, 1)
        if (line := line_at(place, texts)) is not None:
            region["snippet"] = {"text": visible(line)[:_MAX_TEXT]}
    return {"artifactLocation": artifact, "region": region}


def _address(path: str) -> str:
    return PurePosixPath(path).as_uri() if path.startswith("/") else _quoted(path)


def _quoted(text: str) -> str:
    """As part of a URI."""
    quoted = (chr(b) if chr(b) in _UNRESERVED else f"%{b:02X}" for b in text.encode("utf-8", "surrogatepass"))
    return "".join(quoted)


def _fingerprint(one: Merged, place: Place, texts: Mapping[str, str], seen: Counter[str]) -> str:
    """The same while the code is, wherever it moves in its file: the line's words, not its number."""
    line = line_at(place, texts)
    what = " ".join(line.split()) if line is not None else one.stage
    key = f"{one.finding.rule}\0{place.file}\0{what}"
    seen[key] += 1
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:32]}:{seen[key]}"


def _invocation(report: VerificationReport) -> dict[str, Any]:
    unsure = [check for check in report.checks if check.verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE)]
    notes = [_notification(check) for check in unsure]
    notes += [_note(f"not verified on {visible(name)}: it is not at hand") for name in report.kernels_missing]
    notes += [
        _note(visible(f"{one.stage} was not run: {one.text}")[:_MAX_TEXT], level="note") for one in report.not_run
    ]
    if not report.checks:
        notes.append(_note("no kernel at hand, so nothing was verified"))
    judged = report.verdict in (Verdict.PASS, Verdict.FAIL)
    return {
        "executionSuccessful": judged,
        "exitCode": report.verdict.exit_code,
        "toolExecutionNotifications": notes,
    }


def _notification(check: Check) -> dict[str, Any]:
    where = f"{check.stage} on {check.kernel}" if check.kernel else check.stage
    return _note(visible(f"{where}: {check.verdict.value}: {check.text}")[:_MAX_TEXT], level="error")


def _note(text: str, *, level: str = "warning") -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
