"""SARIF: held to its schema, and to what code scanning and editors do with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Finding, Place, VerificationReport
from schedops.report.envelope import Failure
from schedops.report.sarif import render_failure_sarif, render_sarif
from tests.report.reports import ALL, BAD, BROKEN, GOOD, LOST, NOTHING, OLD, RULES, UNSURE, check, report
from tests.verify.readings import SOURCE

# The standard's own schema is in no package that could be installed for the tests.
SCHEMA = json.loads((Path(__file__).parents[1] / "data/sarif/sarif-2.1.0-reduced.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def run_of(what: VerificationReport, source: PolicySource = SOURCE) -> dict[str, Any]:
    document = json.loads(render_sarif([(what, source)], RULES, version="1.2.3"))
    VALIDATOR.validate(document)
    return document["runs"][0]


@pytest.mark.parametrize("what", ALL, ids=lambda what: what.verdict.value)
def test_every_report_is_valid(what: VerificationReport) -> None:
    run = run_of(what)
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert run["properties"]["verdict"] == what.verdict.value


def test_the_schema_refuses_what_is_no_sarif() -> None:
    VALIDATOR.check_schema(SCHEMA)
    document = json.loads(render_sarif([(BAD, SOURCE)], RULES, version="1"))
    for spoil in (
        lambda run: run["results"][0].pop("message"),
        lambda run: run["results"][0].update(level="fatal"),
        lambda run: run["results"][0].update(severity="high"),
        lambda run: run["tool"]["driver"].pop("name"),
        lambda run: run["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda run: run["invocations"][0].pop("executionSuccessful"),
    ):
        spoilt = json.loads(json.dumps(document))
        spoil(spoilt["runs"][0])
        assert not VALIDATOR.is_valid(spoilt)


def test_a_result_has_rule_place_kernels_and_help() -> None:
    run = run_of(BAD)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DSQ-LOST", "LATE", "UNKNOWN-RULE"]
    rule = run["tool"]["driver"]["rules"][0]
    assert rule["helpUri"].endswith("docs/rules/DSQ-LOST.md")
    assert rule["help"]["markdown"].startswith("# DSQ-LOST: Tasks go into")
    assert rule["defaultConfiguration"] == {"level": "error"}
    lost, late, _ = run["results"]
    assert (lost["ruleId"], lost["ruleIndex"], lost["level"]) == ("DSQ-LOST", 0, "error")
    assert lost["message"]["text"] == "queue 7 is never consumed"
    assert lost["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": SOURCE.path, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4, "startColumn": 3, "snippet": {"text": "*count += 1;"}},
    }
    assert late["message"]["text"] == (
        "hogs waited 4.2 s\nOn 6.16.12, 7.3.4.\nOn 7.3.4: hogs waited 5.1 s\nHelp: give every task a turn"
    )
    assert late["properties"] == {"stage": "load", "kernels": ["6.16.12", "7.3.4"]}
    # Code scanning drops results without a place: it is the policy as a whole.
    assert late["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": SOURCE.path, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }


def test_the_other_places_of_a_finding_are_related() -> None:
    note = replace(LOST, level="note", text="this fills it", place=Place(file=SOURCE.path, line=2))
    results = run_of(report(check("source", "", Verdict.FAIL, LOST, note), verdict=Verdict.FAIL))["results"]
    assert len(results) == 1
    assert results[0]["relatedLocations"][0]["message"]["text"] == "this fills it"
    assert results[0]["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 2


def test_no_result_is_not_the_same_as_nothing_wrong() -> None:
    sure = {what.verdict: run_of(what)["invocations"][0] for what in (GOOD, BAD)}
    assert [sure[verdict]["executionSuccessful"] for verdict in (Verdict.PASS, Verdict.FAIL)] == [True, True]
    for what, code, note in (
        (UNSURE, 3, "object on 6.16.12: INCONCLUSIVE: the host was too busy"),
        (BROKEN, 69, "compile on 6.16.12: ERROR: clang-19 was not found"),
        (NOTHING, 69, "no kernel at hand, so nothing was verified"),
    ):
        done = run_of(what)["invocations"][0]
        assert (done["executionSuccessful"], done["exitCode"]) == (False, code)
        assert done["toolExecutionNotifications"][0]["message"]["text"] == note


def test_a_fingerprint_follows_the_code_and_not_its_line() -> None:
    def prints(source: PolicySource, *lines: int) -> list[str]:
        found = [replace(LOST, place=Place(file=SOURCE.path, line=line)) for line in lines]
        results = run_of(report(check("source", "", Verdict.FAIL, *found), verdict=Verdict.FAIL), source)["results"]
        return [result["partialFingerprints"]["schedopsFinding/v1"] for result in results]

    moved = replace(SOURCE, text="\n\n" + SOURCE.text.replace("*count", "  *count"))
    assert prints(SOURCE, 4) == prints(moved, 6)
    changed = replace(SOURCE, text=SOURCE.text.replace("*count", "*other"))
    assert prints(SOURCE, 4) != prints(changed, 4)
    twice = replace(SOURCE, text=SOURCE.text + "\t*count += 1;\n")
    assert len(set(prints(twice, 4, 6))) == 2


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/a b/x%.bpf.c", "file:///a%20b/x%25.bpf.c"),
        ("<stdin>", "%3Cstdin%3E"),
        ("p\u00f6l/x.bpf.c", "p%C3%B6l/x.bpf.c"),
        ("a:b.c", "a%3Ab.c"),
    ],
)
def test_odd_paths_are_still_addresses(path: str, uri: str) -> None:
    source = replace(SOURCE, path=path)
    finding = replace(LOST, place=Place(file=path, line=1))
    result = run_of(report(check("source", "", Verdict.FAIL, finding), verdict=Verdict.FAIL), source)["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_untrusted_words_lose_control_characters() -> None:
    evil = Finding(rule="R", level="error", text="a\x1b[2J\x00b" + "c" * 9000, place=Place(file="\x1b\udcff", line=1))
    what = report(check("load", OLD, Verdict.FAIL, evil), verdict=Verdict.FAIL)
    text = run_of(what)["results"][0]["message"]["text"]
    assert text.startswith("a [2J bccc")
    assert len(text) < 2100


def test_what_never_came_to_a_report_is_said_too() -> None:
    failure = Failure("not-a-policy", "it is none", hint="try another")
    document = json.loads(render_failure_sarif(failure, exit_code=2, version="1"))
    VALIDATOR.validate(document)
    done = document["runs"][0]["invocations"][0]
    assert (done["executionSuccessful"], done["exitCode"]) == (False, 2)
    assert done["toolConfigurationNotifications"][0]["message"]["text"] == "it is none: try another"
