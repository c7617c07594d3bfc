"""An error is said only when it is sure: policies in many styles that are good, or that only their author can judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.verify.source.check import check_source
from tests.verify.source.sources import HEADERS, ROOT, source

STYLES = sorted(Path(__file__).with_name("good").glob("*.bpf.c"))
LIBRARY = sorted((ROOT / "policies/library").glob("*/*.bpf.c"))


@pytest.mark.parametrize("path", [*STYLES, *LIBRARY], ids=lambda path: path.name)
def test_good_policy_has_no_error(path):
    findings = check_source(source(path.read_text(encoding="utf-8"), headers=HEADERS))

    assert [finding for finding in findings if finding.level == "error"] == []


def test_there_are_policies_to_check():
    assert len(STYLES) >= 9
    assert len(LIBRARY) >= 5
