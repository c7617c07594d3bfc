from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.jobs import Group, Hint, Hints, Job, JobPlan, RunReading
from schedops.workloads.hints import hints_from, merge_hints

Run = tuple[JobPlan, RunReading]


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
    assert hints_from("w", [run({"a": 100}, work=1)], "d") == hints_from("w", [run({"a": 100}, work=10**9)], "d")


def test_failed_jobs_and_jobs_without_cpu_time_teach_nothing():
    assert hints_from("w", [run({"a": 100, "b": 0, "c": 7}, failed="c")], "d").hints == (hint("a", 100, 1, None, "d"),)


def test_nothing_measured_gives_no_hints():
    assert hints_from("w", [], "2026-11-21") == Hints(workload="w", hints=())


def test_merging_keeps_what_only_one_side_knows():
    old = Hints(workload="w", hints=(hint("b", 5, 3, 0.1, "2026-01-01"),))
    new = Hints(workload="w", hints=(hint("a", 7, 1, None),))
    assert merge_hints(old, new).hints == (hint("a", 7, 1, None), hint("b", 5, 3, 0.1, "2026-01-01"))


def test_merging_weighs_by_runs_and_takes_the_later_date():
    old = Hints(workload="w", hints=(hint("a", 100, 3, 0.1, "2026-01-01"),))
    new = Hints(workload="w", hints=(hint("a", 200, 1, None),))
    merged = merge_hints(old, new).hints[0]
    assert (merged.cpu_us, merged.n, merged.measured) == (125, 4, "2026-11-21")
    assert merged.spread == round(math.sqrt((2 * 0.01 + 0.75 * math.log(2) ** 2) / 3), 4)


def test_two_single_runs_merge_to_what_both_would_have_given():
    one, two = (hints_from("w", [run({"a": cpu})], "d") for cpu in (100, 200))
    assert merge_hints(one, two) == hints_from("w", [run({"a": 100}), run({"a": 200})], "d")


def test_hints_of_two_workloads_do_not_mix():
    with pytest.raises(ValueError, match="nothing in common"):
        merge_hints(Hints(workload="v", hints=()), Hints(workload="w", hints=()))


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=12), st.data())
def test_merging_is_close_to_measuring_together(cpu_us, data):
    cut = data.draw(st.integers(1, len(cpu_us) - 1))
    parts = [hints_from("w", [run({"a": cpu}) for cpu in part], "d") for part in (cpu_us[:cut], cpu_us[cut:])]
    merged = merge_hints(*parts).hints[0]
    together = hints_from("w", [run({"a": cpu}) for cpu in cpu_us], "d").hints[0]
    assert merged.n == together.n
    assert merged.cpu_us == pytest.approx(together.cpu_us, rel=1e-3, abs=2)
    assert merged.spread is not None
    assert merged.spread >= 0
