import math

import pytest

from schedops.gate.pairs import Change
from schedops.gate.rules import held, improved, surely_worse
from schedops.model.verdict import Verdict


def change(low, estimate, high, pairs=10):
    return Change(pairs=pairs, estimate=estimate, low=low, high=high)


NO_INTERVAL = Change(pairs=5, estimate=-0.2)
NO_DATA = Change()
NOT_MEASURED = Change(pairs=10, estimate=-0.2, low=-0.21, high=-0.19, problem="metric was read 0 times")
NAN = change(-0.2, math.nan, -0.1)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        pytest.param(change(-0.25, -0.2, -0.15), Verdict.PASS, id="good"),
        pytest.param(change(0.15, 0.2, 0.25), Verdict.FAIL, id="bad"),
        pytest.param(change(0.01, 0.02, 0.03), Verdict.FAIL, id="worse-by-less-than-the-smallest-effect"),
        pytest.param(change(-0.01, 0.0, 0.01), Verdict.FAIL, id="no-change-is-no-improvement"),
        pytest.param(change(-0.04, -0.03, -0.02), Verdict.FAIL, id="real-but-too-small"),
        pytest.param(change(-0.3, -0.1, 0.1), Verdict.INCONCLUSIVE, id="too-noisy"),
        pytest.param(change(-0.07, -0.04, -0.01), Verdict.INCONCLUSIVE, id="estimate-below-the-smallest-effect"),
        pytest.param(NO_INTERVAL, Verdict.INCONCLUSIVE, id="too-few-pairs"),
        pytest.param(change(-0.25, -0.2, -0.15, pairs=5), Verdict.INCONCLUSIVE, id="interval-from-five-pairs"),
        pytest.param(NO_DATA, Verdict.ERROR, id="no-data"),
        pytest.param(NOT_MEASURED, Verdict.ERROR, id="cannot-measure"),
        pytest.param(NAN, Verdict.ERROR, id="nan"),
        pytest.param(change(-math.inf, -0.2, -0.15), Verdict.ERROR, id="infinite"),
    ],
)
def test_improved(what, expected):
    assert improved(what, direction="lower", min_effect=0.05) is expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        pytest.param(change(-0.01, 0.02, 0.05), Verdict.PASS, id="good"),
        pytest.param(change(-0.3, -0.2, -0.1), Verdict.PASS, id="better"),
        pytest.param(change(0.01, 0.03, 0.05), Verdict.PASS, id="surely-worse-within-the-limit"),
        pytest.param(change(0.07, 0.1, 0.13), Verdict.FAIL, id="bad"),
        pytest.param(change(0.01, 0.07, 0.13), Verdict.FAIL, id="beyond-the-limit-and-surely-worse"),
        pytest.param(change(-0.1, 0.07, 0.3), Verdict.INCONCLUSIVE, id="too-noisy"),
        pytest.param(change(0.01, 0.05, 0.09), Verdict.INCONCLUSIVE, id="worse-but-perhaps-within-the-limit"),
        pytest.param(Change(pairs=5, estimate=0.0), Verdict.INCONCLUSIVE, id="too-few-pairs"),
        pytest.param(NO_DATA, Verdict.ERROR, id="no-data"),
        pytest.param(NOT_MEASURED, Verdict.ERROR, id="cannot-measure"),
        pytest.param(NAN, Verdict.ERROR, id="nan"),
    ],
)
def test_held(what, expected):
    assert held(what, direction="lower", max_harm=0.06) is expected


def test_higher_is_better_turns_the_sign():
    rise, fall = change(0.1, 0.15, 0.2), change(-0.2, -0.15, -0.1)
    assert improved(rise, direction="higher", min_effect=0.05) is Verdict.PASS
    assert improved(fall, direction="higher", min_effect=0.05) is Verdict.FAIL
    assert held(fall, direction="higher", max_harm=0.05) is Verdict.FAIL
    assert held(rise, direction="higher", max_harm=0.05) is Verdict.PASS


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (change(0.001, 0.02, 0.03), True),
        (change(0.0, 0.02, 0.03), False),
        (change(-0.03, -0.02, -0.01), False),
        (NO_INTERVAL, False),
        (NO_DATA, False),
        (NAN, False),
    ],
)
def test_surely_worse(what, expected):
    assert surely_worse(what, direction="lower") is expected


@pytest.mark.parametrize(
    ("direction", "threshold"), [("down", 0.05), ("", 0.05), ("lower", math.nan), ("lower", -1.0), ("lower", math.inf)]
)
def test_unknown_direction_or_threshold_is_never_a_pass(direction, threshold):
    assert improved(change(-0.9, -0.8, -0.7), direction=direction, min_effect=threshold) is Verdict.ERROR
    assert held(change(-0.9, -0.8, -0.7), direction=direction, max_harm=threshold) is Verdict.ERROR
