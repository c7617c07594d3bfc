"""The table of prices."""

from __future__ import annotations

import pytest

from schedops.agent.claude.asking import DEFAULT_MODEL
from schedops.agent.claude.prices import Price, known_prices
from schedops.errors import InputError
from schedops.model.conversation import TokenUse


def test_the_default_model_has_a_price_and_the_table_a_date():
    prices = known_prices()
    assert prices.of(DEFAULT_MODEL).output > prices.of(DEFAULT_MODEL).input > prices.of(DEFAULT_MODEL).cache_read
    assert len(prices.date) == 10


def test_writing_to_the_cache_costs_a_quarter_more():
    for name, price in known_prices().models.items():
        for one in (price, price.above or price):
            assert one.cache_write == pytest.approx(1.25 * one.input), name
            assert one.cache_read < one.input < one.output, name


def test_an_unknown_model_is_refused():
    with pytest.raises(InputError) as refused:
        known_prices().of("gpt")
    assert refused.value.code == "no-price"


def test_each_kind_of_token_has_its_price():
    price = Price(input=2, output=10, cache_write=2.5, cache_read=0.2)
    use = TokenUse(input_tokens=100_000, cache_write_tokens=200_000, cache_read_tokens=500_000, output_tokens=50_000)
    assert price.usd(use) == pytest.approx(0.2 + 0.5 + 0.1 + 0.5)


def test_a_long_prompt_pays_the_higher_price_for_all_of_it():
    high = Price(input=5, output=25, cache_write=6, cache_read=1)
    price = Price(input=1, output=5, cache_write=1.2, cache_read=0.1, above_input_tokens=100_000, above=high)
    assert price.usd(TokenUse(input_tokens=100_000)) == pytest.approx(0.1)
    assert price.usd(TokenUse(input_tokens=60_000, cache_read_tokens=60_000)) == pytest.approx(0.36)
    assert price.worst_usd(1000, 1000) == pytest.approx(high.worst_usd(1000, 1000))
