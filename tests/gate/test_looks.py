"""Looks: the first clear one decides, what comes after it does not count, and each makes the others stricter."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from schedops.gate.decide import decide
from schedops.gate.looks import confidence_of
from schedops.model.verdict import Verdict
from tests.fakes.measurements import measurements, objective, report, scaled, three_arms, workload

LOOKS = (10, 20, 30)
NOISE = (0.6, 1.5, 1.1, 0.7, 1.4, 0.9, 1.3, 0.8, 1.2, 1.0)


def longer(columns, times=3):
    return {arm: {name: values * times for name, values in figures.items()} for arm, figures in columns.items()}


def judged(columns, *, looks=LOOKS, **changes):
    return decide(workload(), "p", replace(measurements(columns), looks=looks, **changes), report())


def reason(decision, metric):
    return next(one for one in decision.reasons if one.metric == metric)


def test_a_clear_answer_ends_it_at_the_first_look_both_ways() -> None:
    for candidate, verdict in ((0.8, Verdict.PASS), (1.2, Verdict.FAIL)):
        found = judged(longer(three_arms(candidate=candidate)))
        assert (found.verdict, found.rounds, found.looks) == (verdict, 10, LOOKS)
        assert "(10 pairs, stopped early)" in found.summary
        assert reason(found, "makespan").pairs == 10


def test_rounds_after_the_look_that_decided_do_not_count() -> None:
    early, all_of_them = judged(three_arms()), judged(longer(three_arms()))
    assert early == all_of_them
    turned = longer(three_arms())
    turned["candidate"]["makespan"][10:] = scaled(300) * 2
    assert judged(turned) == early


def test_an_unclear_answer_goes_on_to_the_next_look() -> None:
    columns = longer(three_arms())
    columns["candidate"]["makespan"] = scaled(88, tuple(math.sqrt(factor) for factor in NOISE)) * 3
    found = judged(columns)
    assert (found.verdict, found.rounds) == (Verdict.PASS, 20)


def test_what_stays_unclear_is_inconclusive_at_the_last_look() -> None:
    columns = longer(three_arms())
    columns["candidate"]["makespan"] = scaled(95, NOISE) * 3
    found = judged(columns)
    assert (found.verdict, found.rounds) == (Verdict.INCONCLUSIVE, 30)
    assert "stopped early" not in found.summary


def test_it_is_no_verdict_to_stop_between_looks() -> None:
    columns = {arm: {name: values[:9] for name, values in c.items()} for arm, c in three_arms(candidate=0.5).items()}
    found = judged(columns)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert reason(found, "looks").text == "it ended after 9 rounds, and a look was due after 10, 20, 30"


def test_rounds_beyond_the_last_full_look_do_not_count() -> None:
    columns = longer(three_arms(), 2)
    columns["candidate"]["makespan"] = [*scaled(95, NOISE), *scaled(10)]
    columns = {arm: {name: values[:15] for name, values in c.items()} for arm, c in columns.items()}
    assert (judged(columns).verdict, judged(columns).rounds) == (Verdict.INCONCLUSIVE, 10)


@pytest.mark.parametrize("looks", [(20, 10), (10, 10), (0, 10)])
def test_a_plan_that_is_none_is_an_error(looks) -> None:
    assert judged(longer(three_arms()), looks=looks).verdict is Verdict.ERROR


def test_without_a_plan_there_is_one_look_at_the_end() -> None:
    found = judged(longer(three_arms()), looks=())
    assert (found.verdict, found.rounds, found.looks, found.confidence) == (Verdict.PASS, 30, (30,), 0.95)


def test_every_look_and_every_objective_beyond_two_makes_all_stricter() -> None:
    three = workload(objectives=tuple(objective(f"m{n}") for n in range(3)))
    assert confidence_of(workload(), (10,)) == 0.95
    assert math.isclose(confidence_of(workload(), LOOKS), 1 - 0.05 / 3)
    assert math.isclose(confidence_of(three, LOOKS), 1 - 0.1 / 9)
    assert judged(longer(three_arms())).confidence == confidence_of(workload(), LOOKS)
