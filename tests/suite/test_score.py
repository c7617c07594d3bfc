"""What results are worth, computed by hand beside it; what was not measured is worth nothing and says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import InputError
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.suite.score import Terms, score
from tests.fakes.suites import LATENCY, THROUGHPUT, filled, ground, head, measured, slo, workload

EJECTED = SimEnd(verdict=SimVerdict.EJECTED, kind=1026, message="runnable task stall")


def latencies(base: float, mine: float):
    return lambda place: {"request_p99_us": (base if place.scheduler.label == "eevdf" else mine) * place.seed}


def mine(results, terms=None):
    return score(results, terms).schedulers[1]


def test_lower_is_better_is_baseline_by_policy():
    found = mine(filled(head(workload("a"), workload("bb")), latencies(300, 200)))
    assert [one.points for one in found.workloads] == pytest.approx([1.5, 1.5])
    assert (found.score, found.counted) == (pytest.approx(3.0), 2)
    (only,) = found.workloads[0].improvements
    assert (only.low, only.high) == (pytest.approx(1.5), pytest.approx(1.5))
    assert (only.baseline, only.policy) == (pytest.approx(1050), pytest.approx(700))


def test_higher_is_better_is_policy_by_baseline():
    def values(place):
        return {"requests_per_s": 100.0 if place.scheduler.label == "eevdf" else 130.0}

    assert mine(filled(head(workload("a", objectives=(THROUGHPUT,))), values)).score == pytest.approx(1.3)


def test_the_baseline_is_worth_one_a_workload():
    found = score(filled(head(workload("a"), workload("bb")), latencies(300, 200))).schedulers[0]
    assert (found.scheduler, found.score) == ("eevdf", pytest.approx(2.0))


def both(place):
    mine = place.scheduler.label == "mine"
    return {"request_p99_us": 100.0 if mine else 200.0, "requests_per_s": 50.0 if mine else 100.0}


@pytest.mark.parametrize(
    ("alphas", "points"),
    [({}, 0.5 * 2 + 0.5 * 0.5), ({("a", "request_p99_us"): 3.0}, 0.75 * 2 + 0.25 * 0.5)],
)
def test_weights_of_a_workload_add_up_to_one(alphas, points):
    results = filled(head(workload("a", objectives=(LATENCY, THROUGHPUT))), both)
    assert mine(results, Terms(alphas=alphas)).score == pytest.approx(points)


def test_a_hard_slo_missed_is_nothing_a_soft_one_is_reported():
    results = filled(head(workload("a", slo(699)), workload("bb", slo(699, hard=False))), latencies(300, 200))
    hard, soft = mine(results).workloads
    assert (hard.points, soft.points) == (0.0, pytest.approx(1.5))
    assert [one.met for one in (*hard.slos, *soft.slos)] == [False, False]
    assert hard.slos[0].value == 700  # the median of 200, 400 ... 1200
    assert hard.slos[0].seeds_met == 3


def test_an_slo_kept_to_the_last_unit():
    results = filled(head(workload("a", slo(700), slo(700, hard=False, direction="higher"))), latencies(300, 200))
    (found,) = mine(results).workloads
    assert [one.met for one in found.slos] == [True, True]
    assert found.points == pytest.approx(1.5)


def without(label, seed, metric):
    def values(place):
        found = {"request_p99_us": 5.0, "wakeup_p99_us": 5.0}
        if (place.scheduler.label, place.seed) == (label, seed):
            del found[metric]
        return found

    return values


@pytest.mark.parametrize("label", ["eevdf", "mine"])
def test_a_metric_that_one_seed_lacks_is_no_result(label):
    (found,) = mine(filled(head(workload("a")), without(label, 3, "request_p99_us"))).workloads
    assert (found.points, found.why) == (None, "request_p99_us was not measured with every seed")


def test_a_hard_slo_that_nobody_measured_is_not_met():
    results = filled(head(workload("a", slo(9, metric="wakeup_p99_us"))), without("mine", 2, "wakeup_p99_us"))
    (found,) = mine(results).workloads
    assert (found.points, found.slos[0].met) == (None, None)
    assert found.why == "wakeup_p99_us, which has a hard SLO, was not measured with every seed"


def test_a_soft_slo_that_nobody_measured_is_unknown():
    results = filled(
        head(workload("a", slo(9, metric="wakeup_p99_us", hard=False))), without("mine", 2, "wakeup_p99_us")
    )
    (found,) = mine(results).workloads
    assert (found.points, found.slos[0].met) == (pytest.approx(1.0), None)


@pytest.mark.parametrize(
    ("label", "end", "broke"),
    [
        ("mine", EJECTED, True),
        ("mine", SimEnd(verdict=SimVerdict.UNSUPPORTED, message="no such kfunc"), False),
        ("eevdf", SimEnd(verdict=SimVerdict.PLAN_ERROR, message="no CPU 1"), False),
        ("mine", None, False),
        ("eevdf", None, False),
    ],
)
def test_a_run_that_is_not_there_is_no_result(label, end, broke):
    values = latencies(300, 200)

    def some(place):
        wrong = (place.scheduler.label, place.seed, place.workload.name) == (label, 4, "a")
        return end if wrong else values(place)

    found = mine(filled(head(workload("a"), workload("bb")), some))
    assert [one.points for one in found.workloads] == [None, pytest.approx(1.5)]
    assert found.workloads[0].broke is broke
    assert found.workloads[0].why.startswith(label)
    assert (end.message if end else "was not run with seed 4") in found.workloads[0].why
    assert (found.counted, found.score) == (1, pytest.approx(1.5))


@pytest.mark.parametrize(
    ("base", "policy", "points"),
    [(0.0, 0.0, 1.0), (0.0, 5.0, None), (5.0, 0.0, None), (1e300, 1e-300, None), (-1.0, 5.0, None)],
)
def test_nothing_is_divided_by_zero(base, policy, points):
    (found,) = mine(filled(head(workload("a")), latencies(base, policy))).workloads
    assert found.points == points
    if points is None:
        assert found.why == "request_p99_us has values that cannot be divided by one another, such as 0"


def test_few_seeds_have_no_interval():
    (found,) = mine(filled(head(workload("a"), seeds=5), latencies(300, 200))).workloads
    assert (found.improvements[0].low, found.points) == (None, pytest.approx(1.5))


@pytest.mark.parametrize(
    ("spent", "penalty", "total"), [(15.0, 1.0, 0.5), (10.0, 0.0, 1.5), (3.0, 0.0, 1.5), (None, None, None)]
)
def test_what_is_over_the_budget_costs(spent, penalty, total):
    terms = Terms(budget=10.0, price=2.0, spent={} if spent is None else {"mine": spent})
    found = mine(filled(head(workload("a")), latencies(300, 200)), terms)
    assert (found.penalty, found.score) == (penalty, None if total is None else pytest.approx(total))


@pytest.mark.parametrize(
    "terms",
    [Terms(alphas={("a", "nothing"): 1.0}), Terms(alphas={("b", "request_p99_us"): 1.0}),
     Terms(budget=1.0, spent={"nobody": 1.0})],
)  # fmt: skip
def test_terms_of_nobody_are_refused(terms):
    with pytest.raises(InputError) as caught:
        score(filled(head(workload("a")), latencies(300, 200)), terms)
    assert caught.value.code == "unknown-term"


def test_a_cell_of_somebody_else_is_refused():
    results = filled(head(workload("a")), latencies(300, 200))
    forged = replace(results.cells[0], key="0" * 64)
    with pytest.raises(InputError) as caught:
        score(replace(results, cells=(forged, *results.cells[1:])))
    assert caught.value.code == "foreign-cell"
    with pytest.raises(InputError):
        score(replace(results, cells=(*results.cells, results.cells[0])))
    with pytest.raises(InputError):
        score(replace(results, tool_sha256="c" * 64))


def test_figures_of_two_environments_are_no_result():
    results = filled(head(workload("a"), workload("bb")), latencies(300, 200))
    assert mine(measured(results, lambda cell: ground(governor=cell.workload))).counted == 2  # each by itself
    apart = measured(results, lambda cell: ground(governor=cell.scheduler if cell.workload == "a" else "one"))
    found = mine(apart)
    assert [one.points for one in found.workloads] == [None, pytest.approx(1.5)]
    assert found.workloads[0].why == "not measured under the same conditions: host governor: eevdf and mine"
    other = measured(results, lambda cell: ground(programs=(f"gzip 1.{cell.seed}",)))
    assert {one.why for one in mine(other).workloads} == {
        "not measured under the same conditions: other versions of its programs"
    }


@pytest.mark.parametrize(("verdict", "broke"), [("late", True), ("invalid", False), ("unavailable", False)])
def test_a_cell_that_was_not_measured_is_no_result(verdict, broke):
    def values(place):
        ours = place.scheduler.label == "mine" and place.seed == 2
        return SimEnd(verdict=verdict, message="why") if ours else {"request_p99_us": 5.0}

    (found,) = mine(filled(head(workload("a")), values)).workloads
    assert (found.points, found.why, found.broke) == (None, f"mine, seed 2: {verdict}: why", broke)
