import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.stats.interval import Interval, paired_interval, signed_rank_cut


def test_known_interval_of_eight_pairs():
    # 36 Walsh averages 1, 1.5, 2, 2, 2.5 ...; the published critical value is 3, so the 4th from either end.
    assert paired_interval([8, 1, 7, 2, 6, 3, 5, 4], confidence=0.95) == Interval(4.5, 2.0, 7.0, 8)


@pytest.mark.parametrize(("n", "critical"), [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (15, 25), (20, 52)])
def test_cut_is_one_more_than_the_published_critical_value(n, critical):
    # Two-sided 5 % critical values of the signed-rank statistic as printed in statistics tables.
    assert signed_rank_cut(n, 0.95) == critical + 1


def test_cut_agrees_with_counting_every_sign_pattern():
    n, confidence = 9, 0.9
    sums = sorted(
        sum(rank for rank, up in zip(range(1, n + 1), signs, strict=True) if up)
        for signs in itertools.product([0, 1], repeat=n)
    )
    expected = max(k for k in range(n * n) if sum(s <= k - 1 for s in sums) / 2**n <= (1 - confidence) / 2)
    assert signed_rank_cut(n, confidence) == expected


@pytest.mark.parametrize("n", [1, 2, 5])
def test_too_few_pairs_give_an_estimate_without_interval(n):
    assert paired_interval([0.1] * n, confidence=0.95) == Interval(0.1, None, None, n)


def test_no_data_gives_no_estimate():
    assert paired_interval([], confidence=0.95) == Interval(None, None, None, 0)


def test_zero_differences_and_ties_stay_in():
    assert paired_interval([0.0] * 6, confidence=0.95) == Interval(0.0, 0.0, 0.0, 6)
    assert paired_interval([0, 0, 0, 0, 1, 1, 1, 1], confidence=0.95) == Interval(0.5, 0.0, 1.0, 8)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        paired_interval([0.1] * 9 + [bad], confidence=0.95)


@pytest.mark.parametrize("confidence", [0, 1, -1, 95, math.nan])
def test_confidence_out_of_range_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        paired_interval([0.1] * 9, confidence=confidence)


@pytest.mark.parametrize("n", [6, 8, 10, 15])
def test_interval_misses_the_truth_at_most_six_percent_of_the_time(n):
    dice, runs = random.Random(n), 2000
    missed = 0
    for _ in range(runs):
        interval = paired_interval([dice.gauss(0.3, 0.1) for _ in range(n)], confidence=0.95)
        assert interval.low is not None
        assert interval.high is not None
        missed += not interval.low <= 0.3 <= interval.high
    assert missed / runs <= 0.06


@given(st.lists(st.floats(-2, 2), min_size=6, max_size=14))
def test_mirrored_differences_mirror_the_interval(differences):
    here = paired_interval(differences, confidence=0.95)
    there = paired_interval([-d for d in differences], confidence=0.95)
    assert (there.low, there.high) == (-here.high, -here.low)
    assert there.estimate == pytest.approx(-here.estimate)
    assert here.low <= here.estimate <= here.high
