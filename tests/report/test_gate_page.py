"""A decision in words: every reason is there, and the level is explained."""

from __future__ import annotations

from dataclasses import replace

from schedops.gate.decide import decide, measured
from schedops.report.gate_page import gate_page, side_by_side
from tests.fakes.measurements import guard, measurements, report, three_arms, workload

GIVEN = replace(measurements(three_arms()), looks=(10, 20, 30))


def page(wanted=None, *, same=None):
    found = decide(wanted or workload(), "p", GIVEN, report())
    return gate_page(GIVEN, found, same=same), found


def test_every_reason_has_a_row() -> None:
    text, found = page(workload(guards=(guard("cost"), guard("cost", max_harm=0.2, hard=False))))
    rows = text.splitlines()
    judged = [one for one in found.reasons if one.role != "condition"]
    assert sum("6 % allowed" in row or "20 % allowed" in row or "5 % wanted" in row for row in rows) == len(judged)
    assert any(row.split()[:3] == ["cost", "guard", "candidate"] for row in rows)
    assert any("guard (reported)" in row for row in rows)
    for one in found.reasons:
        assert any(row.startswith(one.metric) for row in rows)


def test_looks_and_level_are_said() -> None:
    text = " ".join(page()[0].split())
    assert "10 of 10 measured rounds count" in text
    assert "look 1 of 3, after 10 of at most 30 rounds, intervals at 98.3 %" in text
    assert "exact signed-rank intervals at 98.3 %, so that all looks together, after 10, 20, 30 rounds" in text


def test_a_stored_decision_that_is_the_same_is_said_to_be() -> None:
    assert "byte for byte" in page(same=True)[0]
    assert "byte for byte" not in page()[0]


def test_two_results_side_by_side_are_not_compared() -> None:
    worse = measured(workload(), "p", measurements(three_arms(candidate=1.1)))
    text = side_by_side(page()[1], worse)
    assert [line.split()[1] for line in text.splitlines()[1:5]] == ["PASS", "PASS", "FAIL", "FAIL"]
    assert "which of the two is better was not tested" in text
