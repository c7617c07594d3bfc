import math
from dataclasses import replace

import pytest

from schedops.gate.pairs import compare
from tests.fakes.measurements import measurements, scaled, spoil, three_arms


def change(given, metric="makespan", unit="ms"):
    return compare(given, metric, unit=unit, arm="candidate", baseline="eevdf", confidence=0.95)


def test_change_is_a_fraction_of_the_baseline():
    columns = {"eevdf": {"makespan": [100.0] * 8}, "candidate": {"makespan": [80.0] * 8}}
    found = change(measurements(columns))
    assert (found.pairs, found.problem) == (8, "")
    assert (found.estimate, found.low, found.high) == pytest.approx((-0.2, -0.2, -0.2))


def test_invalid_sample_drops_the_pair_of_its_round():
    assert change(spoil(measurements(three_arms()), "eevdf", {3, 4})).pairs == 8


def test_missing_sample_drops_the_pair_of_its_round():
    given = measurements(three_arms())
    assert change(replace(given, samples=given.samples[1:])).pairs == 9


def test_sample_that_is_there_twice_drops_the_pair_of_its_round():
    given = measurements(three_arms())
    assert change(replace(given, samples=(*given.samples, given.samples[0]))).pairs == 9


def test_repeated_run_takes_the_place_of_the_one_that_was_not_valid():
    given = spoil(measurements(three_arms()), "eevdf", {3})
    again = next(one for one in measurements(three_arms()).samples if (one.round, one.arm) == (3, "eevdf"))
    assert change(replace(given, samples=(*given.samples, again))) == change(measurements(three_arms()))


def test_other_seed_is_no_pair():
    given = measurements(three_arms())
    assert change(replace(given, samples=(replace(given.samples[0], seed=99), *given.samples[1:]))).pairs == 9


def test_no_pair_at_all_is_a_problem():
    given = spoil(measurements(three_arms()), "candidate", set(range(10)))
    assert change(given).problem == "no round has a valid pair of candidate and eevdf"


def test_zero_trials_is_a_problem():
    assert change(measurements({})).problem


def test_unknown_metric_is_a_problem():
    assert change(measurements(three_arms()), metric="latency").problem == (
        "round 0, candidate: metric latency was read 0 times, not once"
    )


def test_other_unit_is_a_problem():
    assert change(measurements(three_arms()), unit="us").problem == (
        "round 0, candidate: makespan is in ms, the workload says us"
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_one_value_without_a_ratio_is_a_problem_of_the_metric(bad):
    columns = three_arms()
    columns["candidate"]["makespan"] = [*scaled(80)[:9], bad]
    found = change(measurements(columns))
    assert found.problem == f"round 9, candidate: makespan is {bad}, which has no ratio"
    assert found.estimate is None
