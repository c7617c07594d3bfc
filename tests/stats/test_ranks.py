import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.stats.ranks import Agreement, agreement, kendall_tau_b, ranks, spearman

# Small whole numbers, so that ties are common.
PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=12)


def test_ties_share_the_mean_of_their_places():
    assert ranks([30, 10, 20, 10]) == (4, 1.5, 3, 1.5)
    assert ranks([]) == ()


def test_without_ties_by_hand():
    # Squared differences of the ranks add up to 4; of ten pairs two are in the other order.
    assert spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert kendall_tau_b([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx((8 - 2) / 10)


def test_ties_by_hand():
    # Of six pairs one is tied in a and one in b: 4 in the same order, 0 in the other, 5 untied on either side.
    assert kendall_tau_b([1, 2, 2, 3], [1, 1, 2, 3]) == pytest.approx(4 / 5)
    # Ranks 1, 2.5, 2.5, 4 and 1.5, 1.5, 3, 4.
    assert spearman([1, 2, 2, 3], [1, 1, 2, 3]) == pytest.approx((1.5 * 1 + 1.5 * 1.5) / 4.5)


@pytest.mark.parametrize("correlation", [spearman, kendall_tau_b])
def test_not_defined(correlation):
    assert correlation([], []) is None
    assert correlation([1], [2]) is None
    assert correlation([1, 1, 1], [1, 2, 3]) is None
    assert correlation([1, 2, 3], [2, 2, 2]) is None


@pytest.mark.parametrize("correlation", [spearman, kendall_tau_b])
def test_refused(correlation):
    with pytest.raises(ValueError, match="paired"):
        correlation([1, 2], [1])
    with pytest.raises(ValueError, match="finite"):
        correlation([1, math.nan], [1, 2])


@pytest.mark.parametrize("correlation", [spearman, kendall_tau_b])
@given(pairs=PAIRS)
def test_only_order_counts(correlation, pairs):
    first, second = zip(*pairs, strict=True)
    found = correlation(first, second)
    if found is None:
        assert len(set(first)) == 1 or len(set(second)) == 1
        return
    assert -1 - 1e-12 <= found <= 1 + 1e-12
    assert correlation(second, first) == pytest.approx(found)
    assert correlation([math.exp(a) for a in first], second) == pytest.approx(found)
    assert correlation([-a for a in first], second) == pytest.approx(-found)
    assert correlation(first, first) == pytest.approx(1)


@pytest.mark.parametrize(
    ("foretold", "low", "high", "said"),
    [
        (0.20, 0.10, 0.30, Agreement.SAME),
        (0.02, 0.10, 0.30, Agreement.SAME),
        (-0.20, -0.30, -0.01, Agreement.SAME),
        (-0.20, 0.10, 0.30, Agreement.WRONG),
        (0.20, -0.30, -0.10, Agreement.WRONG),
        (0.009, 0.10, 0.30, Agreement.MISSED),
        (0.0, -0.30, -0.10, Agreement.MISSED),
        (0.009, 0.008, 0.30, Agreement.SAME),
        (-0.009, 0.008, 0.30, Agreement.MISSED),
        (0.20, -0.01, 0.30, Agreement.UNSURE),
        (0.0, 0.0, 0.06, Agreement.UNSURE),
        (0.04, -0.05, 0.05, Agreement.NEITHER),
        (-0.05, 0.01, 0.04, Agreement.NEITHER),
        (0.06, -0.04, 0.05, Agreement.INVENTED),
    ],
)
def test_agreement(foretold, low, high, said):
    assert agreement(foretold, low, high, none=0.05) is said


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.1), (math.nan, 0.1), (0.1, math.inf)])
def test_no_interval_is_refused(low, high):
    with pytest.raises(ValueError, match="interval"):
        agreement(0.1, low, high, none=0.05)
