"""Against brute force over every order, which is what the tests are exact about."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.stats.exact import shift, trend

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=7, unique=True)


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=8, unique=True), st.data())
def test_rank_sum_is_exact(values, data) -> None:
    few = data.draw(st.integers(1, len(values) - 1))
    wins = sum((b > a) - (b < a) for a in values[:few] for b in values[few:])
    far = total = 0
    for chosen in combinations(range(len(values)), few):
        rest = [value for at, value in enumerate(values) if at not in chosen]
        other = sum((b > values[a]) - (b < values[a]) for a in chosen for b in rest)
        far, total = far + (abs(other) >= abs(wins)), total + 1
    assert shift(values[:few], values[few:]).p == pytest.approx(far / total)


@given(VALUES)
def test_kendalls_test_is_exact(values) -> None:
    def rises(order):
        return sum((b > a) - (b < a) for a, b in combinations(order, 2))

    orders = list(permutations(values))
    far = sum(abs(rises(order)) >= abs(rises(values)) for order in orders)
    assert trend(values).p == pytest.approx(far / len(orders))


def test_sizes_are_in_the_unit_of_the_values() -> None:
    assert shift([1.0, 2.0, 3.0], [11.0, 12.0, 13.0]).size == 10.0
    assert trend([0.0, 2.0, 4.0, 6.0]).size == pytest.approx(6.0)
    assert trend([6.0, 4.0, 2.0, 0.0]).size == pytest.approx(-6.0)


def test_ties_prove_nothing() -> None:
    assert shift([1.0] * 5, [1.0] * 5).p == 1.0
    assert trend([1.0] * 10).p == 1.0


@given(VALUES, st.floats(-100, 100))
def test_which_side_is_first_and_where_zero_lies_do_not_matter(values, offset) -> None:
    half = len(values) // 2
    there, back = shift(values[:half], values[half:]), shift(values[half:], values[:half])
    assert there.p == pytest.approx(back.p)
    assert there.size == pytest.approx(-back.size)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        shift([1.0, bad], [2.0])
    with pytest.raises(ValueError, match="finite"):
        trend([1.0, bad])


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="both sides"):
        shift([], [1.0])
    with pytest.raises(ValueError, match="two values"):
        trend([1.0])
