"""Source rules read anything without a fault: whole policies with wounds, and no policy at all."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.making import fuzzed_source
from benchmarks.labels import read_labels
from schedops.model.policy import PolicySource
from schedops.verify.source.check import check_source
from schedops.verify.source.rules import RULES

SOURCES = [label.source() for label in read_labels()]
TEXTS = [source.text for source in SOURCES]
LEVELS = {"error", "warning", "note"}
IDS = {rule.id for rule in RULES}


def check(source: PolicySource) -> None:
    """Findings are of known rules, at places that exist."""
    last = source.text.count("\n") + 1
    for one in check_source(source):
        assert one.level in LEVELS
        assert one.rule in IDS
        assert one.text
        assert one.place is None or one.place.file != source.path or 0 <= one.place.line <= last


@settings(max_examples=60)
@given(st.integers(min_value=0))
def test_a_wounded_policy(seed: int) -> None:
    chance = random.Random(seed)
    check(replace(chance.choice(SOURCES), text=fuzzed_source(chance, TEXTS)))


@settings(max_examples=60)
@given(st.text())
def test_any_text(text: str) -> None:
    check(replace(SOURCES[0], text=text))
