"""A difference that comes and goes with the order of the runs or with time is not the policy's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.gate.decide import decide
from schedops.gate.steadiness import no_order_effect, no_trend
from schedops.model.verdict import Verdict
from tests.fakes.measurements import measurements, report, scaled, three_arms, workload

W = workload()


def twice(columns):
    return {arm: {name: list(values * 2) for name, values in figures.items()} for arm, figures in columns.items()}


def changed(given, factor, arm="candidate", metric="makespan"):
    """*factor* of a sample multiplies that arm's metric."""
    return replace(
        given,
        samples=tuple(
            replace(
                one, metrics=tuple(replace(m, value=m.value * factor(one)) for m in one.metrics if m.metric == metric)
                + tuple(m for m in one.metrics if m.metric != metric),
            )
            if one.arm == arm
            else one
            for one in given.samples
        ),
    )  # fmt: skip


def test_a_sound_comparison_is_steady() -> None:
    given = measurements(twice(three_arms()))
    assert no_order_effect(W, given).verdict is no_trend(W, given).verdict is Verdict.PASS


def test_who_runs_later_and_is_slower_for_it_is_noticed() -> None:
    given = changed(measurements(twice(three_arms())), lambda one: 1.0 + 0.1 * one.order)
    found = no_order_effect(W, given)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "between rounds where the candidate ran later" in found.text
    assert decide(W, "p", given, report()).verdict is Verdict.INCONCLUSIVE


def test_an_arm_that_never_changes_its_place_cannot_be_told_from_it() -> None:
    given = measurements(three_arms())
    order = {"eevdf": 0, "informed": 1, "candidate": 2}
    given = replace(given, samples=tuple(replace(one, order=order[one.arm]) for one in given.samples))
    found = no_order_effect(W, given)
    assert (found.verdict, found.text) == (
        Verdict.INCONCLUSIVE,
        "the candidate ran after the default scheduler in 10 of 10 rounds: order and policy cannot be told apart",
    )


def test_a_gain_that_fades_is_noticed() -> None:
    given = changed(measurements(twice(three_arms(candidate=0.6))), lambda one: 1 + one.round / 40)
    found = no_trend(W, given)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "from the first round to the last; 5.0 % matters" in found.text
    assert decide(W, "p", given, report()).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("judge", [no_order_effect, no_trend])
def test_what_is_sure_but_too_small_to_matter_is_no_reason(judge) -> None:
    given = changed(measurements(twice(three_arms())), lambda one: 1.0 + 0.0005 * one.round + 0.005 * one.order)
    assert judge(W, given).verdict is Verdict.PASS


def test_drift_that_all_arms_share_is_no_trend_of_their_difference() -> None:
    columns = {
        arm: {name: [value * (1 + at / 20) for at, value in enumerate(values)] for name, values in figures.items()}
        for arm, figures in twice(three_arms()).items()
    }
    assert no_trend(W, measurements(columns)).verdict is Verdict.PASS


@pytest.mark.parametrize("judge", [no_order_effect, no_trend])
def test_without_pairs_nobody_can_say(judge) -> None:
    assert judge(W, measurements({})).verdict is Verdict.ERROR
    assert judge(W, measurements({"eevdf": {"makespan": scaled(1)}})).verdict is Verdict.ERROR
    one = {arm: {name: values[:1] for name, values in figures.items()} for arm, figures in three_arms().items()}
    assert judge(W, measurements(one)).verdict is Verdict.INCONCLUSIVE
