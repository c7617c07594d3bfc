from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.jobs import Group, Hint, Hints, Job, JobPlan, RunReading
from schedops.workloads.hints import MAX_KEYS, Measured, hints_from, hints_of, merge_hints

Run = tuple[JobPlan, RunReading]
DAY = "2026-11-21"


def run(jobs: dict[str, int], *, work: int = 1, failed: str = "") -> Run:
    plan = JobPlan(
        seed=1, cpus=2, groups=(Group(arrival_us=0, parallel=(9,)),),
        jobs=tuple(Job(key=key, group=0, phase=0, work=work) for key in jobs),
    )  # fmt: skip
    zeros = (0,) * len(jobs)
    reading = RunReading(
        start_us=zeros, end_us=tuple(jobs.values()), cpu_us=tuple(jobs.values()), run_delay_us=zeros,
        voluntary_switches=zeros, involuntary_switches=zeros, exit_codes=tuple(int(key == failed) for key in jobs),
        hints_accepted=0, wall_us=0, context_switches=0, wakeups=0,
    )  # fmt: skip
    return plan, reading


def hint(key: str, cpu_us: int, n: int, spread: float | None, measured: str = "2026-11-21") -> Hint:
    return Hint(key=key, cpu_us=cpu_us, n=n, spread=spread, measured=measured)


def test_one_run_gives_no_spread():
    assert hints_from("w", [run({"b": 300, "a": 100})], "2026-11-21") == Hints(
        workload="w", hints=(hint("a", 100, 1, None), hint("b", 300, 1, None))
    )


def test_several_runs_give_mean_and_spread():
    found = hints_from("w", [run({"a": 100}), run({"a": 200})], "2026-11-21")
    assert found.hints == (hint("a", 150, 2, round(math.log(2) / math.sqrt(2), 4)),)


def test_what_the_workload_says_of_itself_changes_nothing():
    assert hints_from("w", [run({"a": 100}, work=1)], DAY) == hints_from("w", [run({"a": 100}, work=10**9)], DAY)


def test_failed_jobs_and_jobs_without_cpu_time_teach_nothing():
    assert hints_from("w", [run({"a": 100, "b": 0, "c": 7}, failed="c")], DAY).hints == (hint("a", 100, 1, None, DAY),)


def test_nothing_measured_gives_no_hints():
    assert hints_from("w", [], "2026-11-21") == Hints(workload="w", hints=())


def test_merging_keeps_what_only_one_side_knows():
    old = Hints(workload="w", hints=(hint("b", 5, 3, 0.1, "2026-08-01"),))
    new = Hints(workload="w", hints=(hint("a", 7, 1, None),))
    assert merge_hints(old, new).hints == (hint("a", 7, 1, None), hint("b", 5, 3, 0.1, "2026-08-01"))


def test_merging_weighs_by_runs():
    old = Hints(workload="w", hints=(hint("a", 100, 3, 0.1),))
    new = Hints(workload="w", hints=(hint("a", 200, 1, None),))
    merged = merge_hints(old, new).hints[0]
    assert (merged.cpu_us, merged.n, merged.measured) == (125, 4, DAY)
    assert merged.spread == round(math.sqrt((2 * 0.01 + 0.75 * math.log(2) ** 2) / 3), 4)


def test_runs_count_half_after_a_month_and_nothing_after_half_a_year():
    old = Hints(workload="w", hints=(hint("a", 100, 4, 0.1, "2026-10-22"), hint("b", 5, 3, 0.1, "2026-05-24")))
    new = Hints(workload="w", hints=(hint("a", 200, 2, 0.1),))
    merged = merge_hints(old, new).hints
    assert [(one.key, one.cpu_us, one.n, one.measured) for one in merged] == [("a", 150, 4, DAY)]
    # One day less, and it is still known.
    younger = replace(old, hints=(hint("b", 5, 3, 0.1, "2026-05-25"),))
    assert [one.key for one in merge_hints(younger, new).hints] == ["a", "b"]


def test_an_old_single_run_hardly_moves_a_new_one():
    old = Hints(workload="w", hints=(hint("a", 100, 1, None, "2026-08-01"),))
    merged = merge_hints(old, Hints(workload="w", hints=(hint("a", 1000, 1, None),))).hints[0]
    assert 930 < merged.cpu_us < 1000
    assert (merged.n, merged.spread) == (1, None)


def test_more_keys_than_there_is_room_for_lose_the_oldest_and_of_these_the_shortest():
    many = tuple(hint(f"{at:016x}", 10 + at, 1, None) for at in range(MAX_KEYS))
    old = Hints(workload="w", hints=(hint("x", 9999, 9, 0.1, "2026-11-20"),))
    merged = merge_hints(old, Hints(workload="w", hints=many)).hints
    assert merged == many
    one_more = Hints(workload="w", hints=(hint("y", 11, 1, None),))
    assert {one.key for one in merge_hints(Hints(workload="w", hints=many), one_more).hints} == {
        "y", *(one.key for one in many[1:])
    }  # fmt: skip


def test_cpu_time_is_right_where_elapsed_time_stands_beside_it_and_the_chain_is_kept():
    wall = replace(hint("a", 900, 5, 0.2), clock="wall", chain_us=3000)
    cpu = hint("a", 100, 1, None)
    for one, two in ((wall, cpu), (cpu, wall)):
        merged = merge_hints(Hints(workload="w", hints=(one,)), Hints(workload="w", hints=(two,)))
        assert merged.hints == (replace(cpu, chain_us=3000),)
    runs = [Measured(key="a", us=900, date=DAY, clock="wall", chain_us=70), Measured(key="a", us=100, date=DAY)]
    assert hints_of("w", runs).hints == (replace(cpu, chain_us=70),)


def test_chains_are_merged_as_times_are():
    one, two = (replace(hint("a", 10, n, 0.1), chain_us=chain) for n, chain in ((3, 100), (1, 200)))
    assert merge_hints(Hints(workload="w", hints=(one,)), Hints(workload="w", hints=(two,))).hints[0].chain_us == 125
    unknown = replace(two, chain_us=None)
    assert (
        merge_hints(Hints(workload="w", hints=(one,)), Hints(workload="w", hints=(unknown,))).hints[0].chain_us == 100
    )


def test_what_was_learnt_is_remembered_up_to_a_bound():
    old, new = (Hints(workload="w", hints=(), learnt=learnt) for learnt in (("a", "b"), ("b", "c")))
    assert merge_hints(old, new).learnt == ("a", "b", "c")
    long = Hints(workload="w", hints=(), learnt=tuple(f"{at:016x}" for at in range(64)))
    assert merge_hints(long, new).learnt == (*long.learnt[2:], "b", "c")


def test_a_date_that_no_calendar_has_is_refused():
    with pytest.raises(ValueError, match="day"):
        hint("a", 1, 1, None, "2026-02-31")


def test_two_single_runs_merge_to_what_both_would_have_given():
    one, two = (hints_from("w", [run({"a": cpu})], DAY) for cpu in (100, 200))
    assert merge_hints(one, two) == hints_from("w", [run({"a": 100}), run({"a": 200})], DAY)


def test_hints_of_two_workloads_do_not_mix():
    with pytest.raises(ValueError, match="nothing in common"):
        merge_hints(Hints(workload="v", hints=()), Hints(workload="w", hints=()))


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=12), st.data())
def test_merging_is_close_to_measuring_together(cpu_us, data):
    cut = data.draw(st.integers(1, len(cpu_us) - 1))
    parts = [hints_from("w", [run({"a": cpu}) for cpu in part], DAY) for part in (cpu_us[:cut], cpu_us[cut:])]
    merged = merge_hints(*parts).hints[0]
    together = hints_from("w", [run({"a": cpu}) for cpu in cpu_us], DAY).hints[0]
    assert merged.n == together.n
    assert merged.cpu_us == pytest.approx(together.cpu_us, rel=1e-3, abs=2)
    assert merged.spread is not None
    assert merged.spread >= 0
