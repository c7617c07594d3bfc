"""Shares, answers and weights: each figure spoiled by itself, on a quiet host and on a starved one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.guest import LoadGroupReading, LoadPlan
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits, loads, shares
from schedops.verify.dynamic.look import Look
from tests.verify.readings import ENABLED, POLICY, SEQ, reading_of


def look(plan: LoadPlan, jitter_ms: float = 5.0, stolen_ms: float = 0.0, **groups: dict[str, object]) -> Look:
    """:param groups: what is spoiled, by the group's name with ``_`` for blanks."""
    reading = reading_of(plan)
    spoiled = tuple(_spoiled(seen, groups.get(seen.name.replace(" ", "_"), {})) for seen in reading.groups)
    reading = replace(reading, groups=spoiled, harness_jitter_ms=jitter_ms)
    reading = replace(reading, stolen_ms=stolen_ms)
    return Look(plan=plan, before=ENABLED, reading=reading, after=ENABLED, policy=POLICY, seq=SEQ, log="")


def _spoiled(seen: LoadGroupReading, changes: dict[str, object]) -> LoadGroupReading:
    return replace(seen, **changes)  # type: ignore[arg-type]


def test_jain() -> None:
    assert shares.jain((2.0, 2.0, 2.0)) == pytest.approx(1.0)
    assert shares.jain((9.0, 0.0, 0.0)) == pytest.approx(1 / 3)
    assert shares.jain((0.0, 0.0)) == 0.0


def test_fair_shares_pass() -> None:
    bunched = look(loads.bunched(2))
    assert shares.equal(bunched, limits.MIN_JAIN) is None
    assert shares.conserving(bunched, 2) is None
    assert shares.answered(bunched) is None
    assert shares.weighted(look(loads.pair()), loads.NICE_0, loads.NICE_5) is None
    assert shares.weighted(look(loads.several()), loads.NICE_0, loads.NICE_5) is None
    assert shares.weighted(look(loads.two_cgroups()), loads.HEAVY, loads.LIGHT) is None
    assert shares.equal(look(loads.crowd(2)), limits.MIN_JAIN_CROWD) is None


def test_each_kind_of_task_is_served_where_no_other_is() -> None:
    assert shares.each_served(look(loads.kindred(2))) is None
    spoiled = {"favoured_hogs_on_the_first_CPU": {"cpu_ms": (230.0, 230.0)}}
    found = shares.each_served(look(loads.kindred(2), **spoiled))
    assert found is not None
    assert (found.verdict, found.rule) == (Verdict.FAIL, "NOT-WORK-CONSERVING")
    assert found.text.startswith("2 favoured hogs on the first CPU used 51% of it, at least 80% is expected")
    # The host may have had that CPU for the missing time.
    unsure = shares.each_served(look(loads.kindred(2), stolen_ms=500.0, **spoiled))
    assert unsure is not None
    assert unsure.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("favoured_ms", "niced_ms", "rule"),
    [(400.0, 400.0, ""), (900.0, 20.0, ""), (100.0, 400.0, ""), (400.0, 900.0, ""), (100.0, 900.0, "UNFAIR-WEIGHT")],
)
def test_nice_that_works_the_wrong_way_round_does_not_pass(favoured_ms: float, niced_ms: float, rule: str) -> None:
    spoiled = {
        "hogs": {"cpu_ms": (400.0, 410.0)},
        "favoured_hogs": {"cpu_ms": (favoured_ms,)},
        "very_niced_hogs": {"cpu_ms": (niced_ms,)},
    }
    found = shares.upside_down(look(loads.mixed(2), **spoiled))
    assert (found.rule if found else "") == rule


def test_cgroup_weights_that_work_the_wrong_way_round_do_not_pass() -> None:
    light, heavy = "a_hog_in_a_light_cgroup", "a_hog_in_a_heavy_cgroup"
    equal = {name: {"cpu_ms": (1000.0,)} for name in (light, heavy)}
    assert shares.against(look(loads.two_cgroups(), **equal), loads.HEAVY, loads.LIGHT) is None
    against = {light: {"cpu_ms": (1300.0,)}, heavy: {"cpu_ms": (650.0,)}}
    found = shares.against(look(loads.two_cgroups(), **against), loads.HEAVY, loads.LIGHT)
    assert found is not None
    assert (found.verdict, found.rule) == (Verdict.FAIL, "UNFAIR-WEIGHT")
    unsure = shares.against(look(loads.two_cgroups(), stolen_ms=350.0, **against), loads.HEAVY, loads.LIGHT)
    assert unsure is not None
    assert unsure.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("cpu_ms", "index"),
    [((1700.0, 1700.0, 270.0, 270.0), "0.65"), ((3900.0, 10.0, 10.0, 10.0), "0.75"), ((3900.0, 0.0, 0.0, 0.0), "0.25")],
)
def test_unequal_shares_of_equal_tasks_do_not_pass(cpu_ms: tuple[float, ...], index: str) -> None:
    found = shares.equal(look(loads.bunched(2), equal_hogs={"cpu_ms": cpu_ms}), limits.MIN_JAIN)
    assert found is not None
    assert (found.verdict, found.rule, found.final) == (Verdict.FAIL, "UNFAIR-EQUAL", False)
    assert f"Jain's index {index}" in found.text


def test_one_task_on_a_cpu_that_the_host_stopped_is_not_the_policys_favour() -> None:
    stopped = {"cpu_ms": (500.0, *(75.0,) * 39)}
    assert shares.equal(look(loads.crowd(2), equal_hogs=stopped), limits.MIN_JAIN_CROWD) is None
    favoured = {"cpu_ms": (*(500.0,) * 6, *(20.0,) * 34)}
    assert shares.equal(look(loads.crowd(2), equal_hogs=favoured), limits.MIN_JAIN_CROWD) is not None


def test_an_idle_cpu_beside_waiting_tasks_does_not_pass() -> None:
    found = shares.conserving(look(loads.bunched(2), equal_hogs={"cpu_ms": (500.0,) * 4}), 2)
    assert found is not None
    assert (found.rule, found.text.split(":")[0]) == (
        "NOT-WORK-CONSERVING",
        "4 hogs that started on one CPU used 50% of 2 CPUs, at least 80% is expected",
    )


def test_a_late_answer_does_not_pass_and_none_is_unknown() -> None:
    late = shares.answered(look(loads.bunched(2), sleepers_among_hogs={"wake_p99_us": 1048576}))
    none = shares.answered(look(loads.bunched(2), sleepers_among_hogs={"wake_p99_us": 0}))
    assert late is not None
    assert (late.rule, late.verdict) == ("LATENCY", Verdict.FAIL)
    assert none is not None
    assert none.verdict is Verdict.INCONCLUSIVE
    assert shares.answered(look(loads.bunched(2), sleepers_among_hogs={"wake_p99_us": 524288})) is None


@pytest.mark.parametrize(("light_ms", "ratio"), [(1000.0, "1.00"), (150.0, "6.67"), (0.0, "1000.00")])
def test_shares_that_do_not_follow_weights_do_not_pass(light_ms: float, ratio: str) -> None:
    plan = loads.pair()
    given = look(plan, hogs_of_nice_0={"cpu_ms": (1000.0,)}, hogs_of_nice_5={"cpu_ms": (light_ms,)})
    found = shares.weighted(given, loads.NICE_0, loads.NICE_5)
    assert found is not None
    assert found.rule == "UNFAIR-WEIGHT"
    assert f"of 2 tasks on one CPU hogs of nice 0 got {ratio} times" in found.text


def test_on_a_starved_host_shares_prove_nothing_and_do_not_pass() -> None:
    found = shares.conserving(look(loads.bunched(2), 300.0, equal_hogs={"cpu_ms": (500.0,) * 4}), 2)
    assert found is not None
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("stolen_ms", "verdict"), [(0.0, "FAIL"), (30.0, "FAIL"), (260.0, "INCONCLUSIVE")])
def test_shares_that_what_was_stolen_explains_prove_nothing(stolen_ms: float, verdict: str) -> None:
    crowd = look(loads.crowd(2), stolen_ms=stolen_ms, equal_hogs={"cpu_ms": (*(190.0,) * 7, *(40.0,) * 33)})
    pair = {"hogs_of_nice_0": {"cpu_ms": (1200.0,)}, "hogs_of_nice_5": {"cpu_ms": (700.0,)}}
    idle = look(loads.bunched(2), stolen_ms=stolen_ms, equal_hogs={"cpu_ms": (700.0,) * 4})
    for found in (
        shares.equal(crowd, limits.MIN_JAIN_CROWD),
        shares.weighted(look(loads.pair(), stolen_ms=stolen_ms, **pair), loads.NICE_0, loads.NICE_5),
        shares.conserving(idle, 2),
    ):
        assert found is not None
        assert found.verdict.value == verdict, found.text
