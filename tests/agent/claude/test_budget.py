"""Nothing is asked that could overrun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.agent.claude.budget import OVERHEAD_TOKENS, Account, Budget, OutOfBudget, most_input_tokens
from schedops.agent.claude.prices import Price
from schedops.model.conversation import Question, TokenUse, Turn
from tests.fakes.conversation import Purse

PRICE = Price(input=2, output=10, cache_write=2.5, cache_read=0.2)


def question(words: str = "hello", output: int = 1000) -> Question:
    turn = Turn(role="user", content=({"type": "text", "text": words},))
    return Question(model="m", system="s", tools=(), turns=(turn,), max_output_tokens=output)


def account(**limits: float) -> Account:
    return Account(Budget(**limits), PRICE, Purse())


def test_no_token_is_shorter_than_a_byte():
    assert most_input_tokens(question("ü" * 1000)) > 2000 + OVERHEAD_TOKENS


def test_what_was_not_used_comes_back():
    spent = account(usd=1.0)
    reserved = spent.reserve(question(), elapsed_s=0)
    assert spent.usd == reserved.usd > 0
    assert spent.settle(reserved, TokenUse(input_tokens=500, output_tokens=100)) == pytest.approx(0.002)
    assert spent.usd == pytest.approx(0.002)
    assert spent.tokens == 600
    assert spent.purse.spent_usd() == pytest.approx(0.002)


def test_what_was_never_answered_comes_back_whole():
    spent = account(usd=1.0)
    spent.release(spent.reserve(question(), elapsed_s=0))
    assert (spent.usd, spent.tokens, spent.calls) == (0, 0, 0)


@pytest.mark.parametrize(
    ("limits", "elapsed_s", "words"),
    [
        ({"usd": 0.01}, 0, "may cost"),
        ({"tokens": 5000}, 0, "may use"),
        ({"seconds": 10}, 10, "are over"),
        ({"usd_a_day": 0.01}, 0, "a day"),
    ],
)
def test_every_limit_holds_before_the_call(limits: dict[str, float], elapsed_s: float, words: str):
    spent = account(**limits)
    with pytest.raises(OutOfBudget, match=words):
        spent.reserve(question(), elapsed_s=elapsed_s)
    assert spent.usd == spent.tokens == 0
    assert spent.purse.spent_usd() == 0


def test_the_day_is_shared():
    purse = Purse()
    first, second = (Account(Budget(usd_a_day=0.05), PRICE, purse) for _ in range(2))
    first.reserve(question(), elapsed_s=0)
    first.reserve(question(), elapsed_s=0)
    with pytest.raises(OutOfBudget):
        second.reserve(question(), elapsed_s=0)


@given(
    limit=st.floats(0.001, 1),
    calls=st.lists(
        st.tuples(st.integers(1, 3000), st.integers(1, 4000), st.floats(0, 1), st.floats(0, 1)), max_size=20
    ),
)
def test_no_bill_is_higher_than_the_budget(limit: float, calls: list[tuple[int, int, float, float]]):
    """Whatever share of what it could use the model really uses."""
    spent, billed = account(usd=limit), 0.0
    for length, output, share_in, share_out in calls:
        asked = question("x" * length, output)
        try:
            reserved = spent.reserve(asked, elapsed_s=0)
        except OutOfBudget:
            continue
        use = TokenUse(
            cache_write_tokens=int(most_input_tokens(asked) * share_in), output_tokens=int(output * share_out)
        )
        billed += spent.settle(reserved, use)
    assert billed <= limit + 1e-9
    assert spent.usd == pytest.approx(billed, abs=1e-9)
