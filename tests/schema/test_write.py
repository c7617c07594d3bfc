from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.decision import Decision
from schedops.model.fleet import Assignment
from schedops.model.jobs import Hint, Hints
from schedops.model.policy import ParamValue
from schedops.model.verdict import Verdict
from schedops.schema.read import load
from schedops.schema.write import yaml_bytes

ASSIGNMENT = Assignment(
    group="ci-runners", workload="ci-builds", policy="build-order",
    params=(ParamValue(name="slice_us", value=4000),), evidence_sha256="a" * 64,
)  # fmt: skip


def test_exact_bytes():
    assert yaml_bytes(ASSIGNMENT, comment="written by schedops propose").decode() == (
        "# written by schedops propose\n"
        "apiVersion: schedops/v1\nkind: Assignment\ngroup: ci-runners\nworkload: ci-builds\npolicy: build-order\n"
        "params:\n- name: slice_us\n  value: 4000\nevidence_sha256: " + "a" * 64 + "\n"
    )


def test_defaults_come_back():
    assert load(yaml_bytes(ASSIGNMENT), Assignment) == ASSIGNMENT


def test_null_without_a_default_is_written():
    hints = Hints(workload="w", hints=(Hint(key="0" * 16, cpu_us=1, n=1, spread=None, measured="2026-11-21"),))
    assert "spread: null" in yaml_bytes(hints).decode()
    assert load(yaml_bytes(hints), Hints) == hints


def test_a_date_needs_no_quotes_and_stays_a_string():
    hints = Hints(workload="w", hints=(Hint(key="0" * 16, cpu_us=1, n=2, spread=0.5, measured="2026-11-21"),))
    assert load(yaml_bytes(hints), Hints).hints[0].measured == "2026-11-21"


def test_what_is_no_document_is_refused():
    with pytest.raises(TypeError):
        yaml_bytes(ParamValue(name="a", value=1))


TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t"), min_size=1, max_size=80)
WORDS = st.sampled_from(
    ["on", "1e5", "010", ".nan", "null", "~", "6.16", "<<", "*a", "&a", "!x", "- a", "a: b", "# c", "1_0", "true"]
)


@given(TEXT | WORDS)
def test_any_text_is_read_back(text):
    decision = Decision(
        workload="w", policy="p", rung="micro-vm", verdict=Verdict.PASS, recommendation="policy", summary=text,
        reasons=(), confidence=0.95,
    )  # fmt: skip
    assert load(yaml_bytes(decision), Decision) == decision
