from collections import Counter
from itertools import pairwise

import pytest

from schedops.bench.design import ARMS, arms_in_order, design
from tests.fakes.workloads import batch


def plan(**changes):
    return design(batch(), **({"rounds": 6, "seed": 7} | changes))


def test_each_arm_is_in_each_position_equally_often():
    places = Counter((arm, place) for number in range(6) for place, arm in enumerate(arms_in_order(number)))
    assert set(places.values()) == {2}
    assert len(places) == 9


def test_each_arm_follows_each_other_one_equally_often():
    orders = [arms_in_order(number) for number in range(6)]
    follows = Counter(pair for order in orders for pair in pairwise(order))
    assert set(follows.values()) == {2}
    assert len(follows) == 6


def test_all_arms_of_a_round_run_the_same_jobs_under_other_names():
    for round_ in plan():
        assert sorted(turn.arm for turn in round_.turns) == sorted(ARMS)
        assert len({turn.name_seed for turn in round_.turns}) == 3


def test_rounds_have_jobs_of_their_own():
    rounds = plan()
    assert len({one.seed for one in rounds}) == len(rounds)


def test_warm_up_comes_first_and_is_marked():
    assert [(one.number, one.warmup) for one in plan(rounds=2)] == [(-1, True), (0, False), (1, False)]


def test_same_seed_same_experiment():
    assert plan() == plan()
    assert plan() != plan(seed=8)


def test_more_rounds_begin_with_the_same_ones():
    assert plan(rounds=9)[: len(plan())] == plan()


def test_no_round_is_refused():
    with pytest.raises(ValueError, match="at least one round"):
        plan(rounds=0)
