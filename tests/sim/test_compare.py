"""Paired changes: signs, intervals, and what cannot be compared."""

from __future__ import annotations

import pytest

from schedops.model.workload import Guard, Objective
from schedops.sim.compare import Shown, change, classes_of, table_of
from tests.fakes.workloads import builds

OBJECTIVE = Objective(metric="mean_build_time_per_floor", unit="ratio", direction="lower", min_effect=0.05)
GUARD = Guard(metric="worst_slowdown", unit="ratio", direction="lower", max_harm=0.25, hard=False)


def pairs(*values):
    return [(Shown({"makespan_ms": base}), Shown({"makespan_ms": new})) for base, new in values]


def test_the_same_ratio_on_every_seed_is_exact():
    assert change([(10.0 * n, 8.0 * n) for n in range(1, 11)]) == pytest.approx((-0.2, -0.2, -0.2))


def test_fewer_than_six_pairs_have_no_interval():
    estimate, low, high = change([(10.0, 8.0)] * 5)
    assert estimate == pytest.approx(-0.2)
    assert (low, high) == (None, None)
    assert None not in change([(10.0, 8.0)] * 6)


def test_where_a_value_is_zero_differences_are_taken():
    estimate, low, high = change([(0.0, 0.0), *[(100.0, 50.0)] * 7])
    assert estimate == pytest.approx(-0.5)
    assert low <= estimate <= high


def test_nothing_shrinks_by_more_than_all_of_it():
    assert change([(500.0, 0.0), (900.0, 0.0), *[(100.0, 0.0)] * 7])[:2] == (-1.0, -1.0)


@pytest.mark.parametrize("values", [[], [(0.0, 0.0)], [(0.0, 1.0)] * 8, [(float("nan"), 1.0)], [(-1.0, 1.0)]])
def test_what_has_no_change(values):
    assert change(values) == (None, None, None)


def test_objectives_come_first_then_guards_then_the_floor():
    workload = builds(objectives=(OBJECTIVE,), guards=(GUARD,))
    metrics = {
        "worst_slowdown": 2.0,
        "mean_build_time_per_floor": 0.9,
        "floor_ms": 7.0,
        "all_done_ms": 9.0,
        "fairness": 1.0,
    }
    rows = table_of(workload, [(Shown(metrics), Shown(metrics))], {"all_done_ms": "ms", "worst_slowdown": "ratio"})
    assert [(row.name, row.role) for row in rows] == [
        ("mean_build_time_per_floor", "objective"),
        ("worst_slowdown", "guard"),
        ("floor_ms", "floor"),
        ("all_done_ms", "figure"),
        ("fairness", "figure"),
    ]
    assert rows[0].wanted == "lower, 5% or more"
    assert rows[1].wanted == "25% worse at most (reported)"


def test_a_figure_that_one_side_lacks_has_no_change():
    rows = table_of(builds(objectives=(), guards=()), [(Shown({"fairness": 1.0}), Shown({}))], {})
    assert [(row.baseline, row.policy, row.estimate, row.pairs) for row in rows] == [(1.0, None, None, 0)]


def test_classes_are_shown_when_there_are_several():
    one = Shown({}, {"a": (3, {"fairness": 0.5})})
    two = Shown({}, {"a": (3, {"fairness": 1.0}), "b": (1, {"fairness": 1.0})})
    assert classes_of([(one, one)]) == ()
    both = classes_of([(two, two), (one, two)])
    assert [(found.label, found.tasks) for found in both] == [("a", 3), ("b", 1)]
    assert both[0].figures[0].pairs == 2
    assert both[1].figures[0].pairs == 1
