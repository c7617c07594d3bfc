"""What power says agrees with the interval it is about, and never changes."""

from __future__ import annotations

import random

import pytest

from schedops.stats.interval import paired_interval
from schedops.stats.power import chances, pairs_wanted

LOOKS = (10, 20, 30)
LEVEL = 1 - 0.05 / 3


def test_power_is_what_the_interval_does() -> None:
    draw = random.Random(1)
    shown = 0
    for _ in range(400):
        pairs = [draw.gauss(0.05, 0.06) for _ in range(30)]
        found = (paired_interval(pairs[:look], confidence=LEVEL).low for look in LOOKS)
        shown += any(low is not None and low > 0 for low in found)
    assert chances(0.05, 0.06, looks=LOOKS, confidence=LEVEL)[-1] == pytest.approx(shown / 400, abs=0.05)


def test_without_an_effect_it_is_the_error_that_the_looks_allow() -> None:
    assert chances(0.0, 0.05, looks=LOOKS, confidence=LEVEL)[-1] <= 0.035  # 2.5 % and what 1000 trials leave open


def test_it_rises_with_the_effect_and_with_the_looks() -> None:
    small, large = (chances(effect, 0.06, looks=LOOKS, confidence=LEVEL) for effect in (0.03, 0.05))
    assert list(small) == sorted(small)
    assert all(less <= more for less, more in zip(small, large, strict=True))


def test_the_sign_of_the_effect_does_not_matter_and_the_answer_never_changes() -> None:
    assert chances(-0.05, 0.06, looks=LOOKS, confidence=LEVEL) == (0.358, 0.841, 0.965)
    assert chances(0.05, 0.06, looks=LOOKS, confidence=LEVEL) == (0.358, 0.841, 0.965)


def test_too_few_pairs_for_an_interval_show_nothing() -> None:
    assert chances(1.0, 0.01, looks=(5,), confidence=0.95) == (0.0,)


@pytest.mark.parametrize(("effect", "spread"), [(0.05, 0.05), (0.05, 0.1), (0.1, 0.08)])
def test_pairs_wanted_give_about_the_chance_that_was_asked_for(effect: float, spread: float) -> None:
    n = pairs_wanted(effect, spread, confidence=0.95, chance=0.8)
    assert chances(effect, spread, looks=(n,), confidence=0.95)[0] == pytest.approx(0.8, abs=0.06)


def test_no_fewer_pairs_are_wanted_than_an_interval_takes() -> None:
    assert pairs_wanted(10.0, 0.01, confidence=0.95, chance=0.8) == 6
    assert pairs_wanted(10.0, 0.01, confidence=LEVEL, chance=0.8) == 7


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="spread"):
        chances(0.1, 0.0, looks=LOOKS, confidence=0.95)
    with pytest.raises(ValueError, match="looks"):
        chances(0.1, 0.1, looks=(), confidence=0.95)
    with pytest.raises(ValueError, match="effect"):
        pairs_wanted(0.0, 0.1, confidence=0.95, chance=0.8)
