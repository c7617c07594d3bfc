import pytest

from schedops.stats.summary import mean, median, quantile, quantiles, spread


def test_quantiles_are_linear_between_neighbours():
    assert quantiles([4, 1, 3, 2], [0, 0.25, 0.5, 0.75, 1]) == (1, 1.75, 2.5, 3.25, 4)


def test_one_value_is_every_quantile():
    assert quantiles([7], [0, 0.5, 0.95, 1]) == (7, 7, 7, 7)


def test_median_of_odd_and_even():
    assert (median([3, 1, 2]), median([4, 1, 3, 2])) == (2, 2.5)


def test_mean_and_spread():
    assert (mean([2, 4, 6]), spread([2, 4, 6])) == (4, 2)


def test_spread_of_one_value_is_unknown():
    assert spread([2]) is None


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        quantile([1, 2], share)


def test_no_values_is_refused():
    with pytest.raises(ValueError, match="values"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="values"):
        mean([])
