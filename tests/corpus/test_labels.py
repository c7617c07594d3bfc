"""Labels fit their files, and what the text alone can tell is told: no alarm on the good, the flaw in the bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.labels import CORPORA, NEAR_LINES, Label, read_labels
from schedops.model.verification import Finding
from schedops.verify.source.check import check_source
from schedops.verify.source.rules import RULES

LABELS = read_labels()
SOURCE_ERRORS = {rule.id for rule in RULES if rule.level == "error"}
TOLD_BY_TEXT = [one for one in LABELS if not one.good and one.rule in SOURCE_ERRORS]


def name(label: Label) -> str:
    return label.name


def shown(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{one.level} {one.rule} {one.place}: {one.text}" for one in findings]


@pytest.mark.parametrize("folder", CORPORA, ids=lambda folder: folder.name)
def test_every_policy_has_a_label_and_every_label_a_policy(folder: Path) -> None:
    entries = json.loads((folder / "manifest.json").read_bytes())["policies"]
    assert sorted(entry["file"] for entry in entries) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*.bpf.c")
    )
    assert {(entry["expected"], entry["file"].split("/")[0]) for entry in entries} == {
        ("fail", "bad"),
        ("pass", "good"),
    }


def test_there_are_enough_of_both_kinds() -> None:
    assert sum(label.good for label in LABELS) >= 24
    assert sum(not label.good and label.line > 0 for label in LABELS) >= 80


@pytest.mark.parametrize("label", [one for one in LABELS if one.good], ids=name)
def test_no_source_rule_is_sure_of_a_flaw_in_a_good_policy(label: Label) -> None:
    findings = check_source(label.source())
    assert shown(tuple(one for one in findings if one.level == "error")) == [], f"{label.path}: labelled good"


@pytest.mark.parametrize("label", TOLD_BY_TEXT, ids=name)
def test_a_source_rule_finds_the_flaw_and_points_at_it(label: Label) -> None:
    findings = check_source(label.source())
    lines = [one.place.line for one in findings if one.rule == label.rule and one.place]
    near = [line for line in lines if abs(line - label.line) <= NEAR_LINES]
    assert near, f"{label.path}: expected {label.rule} at line {label.line}, got {shown(findings)}"


@pytest.mark.parametrize("label", [one for one in LABELS if not one.good and one not in TOLD_BY_TEXT], ids=name)
def test_what_is_said_of_other_flaws_is_about_their_place_or_no_error(label: Label) -> None:
    """An error of a source rule stops the verification: a wrong one would hide the flaw that is there."""
    findings = check_source(label.source())
    wrong = [
        one
        for one in findings
        if one.level == "error" and (one.place is None or abs(one.place.line - label.line) > NEAR_LINES)
    ]
    assert shown(tuple(wrong)) == [], f"{label.path}: the flaw is in line {label.line} ({label.kind})"
