"""What holds for every comparison, whatever its figures."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedops.gate.decide import decide
from schedops.gate.pairs import Change
from schedops.gate.rules import held, improved
from schedops.model.verdict import Verdict
from tests.fakes.measurements import guard, measurements, objective, report, workload

ARMS = ("eevdf", "informed", "candidate")
W = workload(
    objectives=(objective("makespan"), objective("rate", "higher")),
    guards=(guard("cost"), guard("wait", max_harm=0.2), guard("noise", hard=False)),
)
LEVELS = st.sampled_from((0.7, 0.9, 0.95, 1.0, 1.02, 1.1, 1.4))
NOISE = st.sampled_from((0.001, 0.02, 0.1))
RANK = {Verdict.FAIL: 0, Verdict.ERROR: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


SIZES = st.sampled_from((5, 8, 20))
AT_THE_END = st.just(())


@st.composite
def comparisons(draw, rounds=SIZES, looks=AT_THE_END):
    """Every metric of every arm at a level of its own, with noise from round to round."""
    count, random = draw(rounds), draw(st.randoms(use_true_random=False))
    noise = draw(NOISE)
    columns = {
        arm: {
            metric: [level * (1 + noise * random.uniform(-1, 1)) for _ in range(count)]
            for metric in ("makespan", "rate", "cost", "wait", "noise")
            for level in [1.0 if arm == "eevdf" else draw(LEVELS)]
        }
        for arm in ARMS
    }
    return replace(measurements(columns), looks=draw(looks))


def judged(given):
    return decide(W, "p", given, report())


def harmed(given, factor):
    """The candidate is worse by *factor* in everything, in every round alike."""

    def value(metric):
        worse = metric.value / factor if metric.metric == "rate" else metric.value * factor
        return replace(metric, value=worse)

    return replace(
        given,
        samples=tuple(
            replace(one, metrics=tuple(map(value, one.metrics))) if one.arm == "candidate" else one
            for one in given.samples
        ),
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(comparisons(), st.floats(1.0, 2.0))
def test_a_worse_candidate_never_gets_a_better_verdict(compared, factor) -> None:
    good, bad = judged(compared).verdict, judged(harmed(compared, factor)).verdict
    assert RANK[bad] <= RANK[good]


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(comparisons(st.just(20), st.just((8, 14, 20))), st.floats(1.0, 2.0))
def test_with_looks_a_worse_candidate_never_turns_a_fail_into_a_pass(compared, factor) -> None:
    if judged(compared).verdict is not Verdict.PASS:
        assert judged(harmed(compared, factor)).verdict is not Verdict.PASS


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(comparisons(), st.data())
def test_another_order_of_the_rounds_changes_nothing_but_the_trend(compared, data) -> None:
    numbers = [one.round for one in compared.rounds]
    moved = dict(zip(numbers, data.draw(st.permutations(numbers)), strict=True))
    other = replace(
        compared,
        rounds=tuple(replace(one, round=moved[one.round]) for one in compared.rounds),
        samples=tuple(replace(one, round=moved[one.round]) for one in compared.samples),
    )
    first, second = ([one for one in judged(each).reasons if one.metric != "trend"] for each in (compared, other))
    assert [(one.verdict, one.low, one.high) for one in first] == [(one.verdict, one.low, one.high) for one in second]


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(comparisons(looks=st.sampled_from(((), (5,), (5, 20), (8, 20)))), st.data())
def test_the_same_samples_give_the_same_decision_in_whatever_order_they_are_listed(compared, data) -> None:
    shuffled = replace(compared, samples=tuple(data.draw(st.permutations(compared.samples))))
    assert judged(compared) == judged(compared) == judged(shuffled)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(comparisons())
def test_a_pass_has_every_condition_an_objective_and_every_hard_guard_behind_it(compared) -> None:
    found = judged(compared)
    if found.verdict is not Verdict.PASS:
        return
    of_candidate = [one for one in found.reasons if one.arm == "candidate"]
    assert {one.verdict for one in of_candidate if one.role == "condition" or one.hard} == {Verdict.PASS}
    assert {one.metric for one in of_candidate if one.role == "guard" and one.hard} >= {"cost", "wait"}
    assert {one.baseline for one in of_candidate if one.role == "objective"} == {"eevdf", "informed"}


@given(st.floats(-0.5, 0.5), st.floats(0, 0.2), st.floats(0, 0.2), st.floats(0, 0.3), st.floats(0, 0.2))
def test_rules_are_monotone(estimate, below, above, worse, threshold) -> None:
    def change(by):
        return Change(pairs=10, estimate=estimate + by, low=estimate + by - below, high=estimate + by + above)

    assert RANK[held(change(worse), direction="lower", max_harm=threshold)] <= RANK[
        held(change(0), direction="lower", max_harm=threshold)
    ]  # fmt: skip
    assert RANK[improved(change(worse), direction="lower", min_effect=threshold)] <= RANK[
        improved(change(0), direction="lower", min_effect=threshold)
    ]  # fmt: skip
