"""The page of a score: what is missing or missed is said, and what a policy says cannot reach a terminal."""

from __future__ import annotations

from schedops.model.simulation import SimEnd, SimVerdict
from schedops.report.suite import score_page
from schedops.suite.score import Terms, score
from tests.fakes.suites import filled, head, slo, workload

HOSTILE = SimEnd(verdict=SimVerdict.EJECTED, kind=1025, message="\x1b[31m\u202ered\n" + "x" * 1900)


def page(results, terms=None):
    return score_page(results, score(results, terms))


def values(place):
    if place.workload.name == "bb" and place.scheduler.label == "mine":
        return HOSTILE
    return {"request_p99_us": 300.0 if place.scheduler.label == "eevdf" else 200.0}


def test_an_incomplete_score_says_so_and_why():
    text = page(filled(head(workload("a"), workload("bb")), values))
    assert "mine    T2     1 of 2     0                 1.50    -               1.50, incomplete" in text
    assert "no result: mine on bb: mine, seed 1: ejected: [31m red xxx" in text
    assert all(line.isprintable() for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 250


def test_a_missed_slo_is_told_with_its_bound():
    text = page(filled(head(workload("a", slo(150.0), slo(100.0, hard=False))), values))
    assert "1.50 [1.50, 1.50], SLO missed: 0" in text
    assert "hard SLO missed: mine on a: request_p99_us 200 us, at most 150" in text
    assert "soft SLO missed: mine on a: request_p99_us 200 us, at most 100" in text
    assert "mine    T2     1 of 1     1                 0.00    -               0.00" in text


def test_the_baseline_alone_and_hidden_workloads():
    text = page(filled(head(workload("a", hidden=True), policies=()), values))
    assert "a (hidden)  request_p99_us" in text
    assert "eevdf   -      1 of 1     0                 1.00    -               1.00" in text
    assert "mine    T2     1 of 1     0                 1.50    unknown         no result" in page(
        filled(head(workload("a")), values), Terms(budget=3.0, price=1.0)
    )
