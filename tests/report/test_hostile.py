"""Whatever a report holds, every form of it is whole: printable, valid, parsable, and commands are ours alone."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.report.annotations import render_annotations
from schedops.report.junit import render_junit
from schedops.report.sarif import render_sarif
from schedops.report.verification import render
from tests.report.reports import RULES, STAGES
from tests.report.test_sarif import VALIDATOR
from tests.verify.readings import SOURCE

WORDS = st.text(max_size=60) | st.sampled_from(
    ["\x1b[2J", "a\n::error::b", "##[add-mask]x", "]]>", "%0A", "\ud800", "x. Y. " * 60]
)
PLACES = st.builds(
    Place,
    file=st.sampled_from([SOURCE.path, "schedops.h", "/abs/x.c", "<stdin>"]) | WORDS,
    line=st.integers(0, 9),
    column=st.integers(1, 500),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from([*RULES, "OTHER"]),
    level=st.sampled_from(["error", "warning", "note"]),
    text=WORDS,
    place=st.none() | PLACES,
    advice=WORDS,
)
CHECKS = st.builds(
    Check,
    stage=st.sampled_from(STAGES),
    kernel=st.sampled_from(["", "6.16", "7.3"]) | WORDS,
    verdict=st.sampled_from(Verdict),
    text=WORDS,
    seconds=st.floats(0, 1e6),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
)
REPORTS = st.builds(
    VerificationReport,
    policy=WORDS,
    source_sha256=st.just("sha256:0"),
    stages=st.just(STAGES),
    verdict=st.sampled_from(Verdict),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    objects=st.just(()),
    kernels_missing=st.lists(WORDS, max_size=2).map(tuple),
)


@given(report=REPORTS, text=WORDS)
@settings(max_examples=40)
def test_every_form_is_whole(report: VerificationReport, text: str) -> None:
    source = replace(SOURCE, text=text + "\n" + SOURCE.text)
    for verbose in (False, True):
        shown = render(report, source, RULES, verbose=verbose)
        assert all(character.isprintable() for character in shown.replace("\n", ""))
        assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]
    VALIDATOR.validate(json.loads(render_sarif([(report, source)], RULES, version="1")))
    ET.fromstring(render_junit([report]))
    commands = render_annotations(report, path=source.path).splitlines()
    assert len(commands) <= sum(len(check.findings) for check in report.checks)
    assert all(command.startswith(("::error file=", "::warning file=", "::notice file=")) for command in commands)
