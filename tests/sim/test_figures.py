"""Figures of hand-made results, where every value can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.machine import flat_machine
from schedops.model.simulation import CpuResult, Histogram, LabelResult, bucket_bounds
from schedops.ports import SimScheduler
from schedops.sim.figures import FIGURES, figures, jain, label_figures, members_of
from tests.fakes.simulator import Simulator, plan_of_works

MS = 1_000_000


def run(*works, scheduler="fifo", cpus=1, labels=("task",)):
    plan = plan_of_works(*works, labels=labels)
    return plan, Simulator().run(plan, flat_machine(cpus), SimScheduler(scheduler), trace=False)


def test_two_jobs_one_after_the_other():
    found = figures(*run(10 * MS, 30 * MS))
    assert found["makespan_ms"] == 40
    assert found["mean_completion_ms"] == 25
    assert found["tasks_per_s"] == 50
    assert found["wait_p50_ms"] == 5
    assert found["longest_wait_ms"] == 10
    assert found["fairness"] == pytest.approx((1 + 0.75) ** 2 / (2 * (1 + 0.75**2)))
    assert (found["context_switches"], found["preemptions"], found["migrations"]) == (2, 0, 0)
    assert (found["cpu_time_ms"], found["utilisation"], found["idle_while_waiting"]) == (40, 1, 0)


def test_what_is_not_there_is_left_out_and_not_zero():
    plan, result = run(10 * MS, 30 * MS)
    tasks = (result.tasks[0], replace(result.tasks[1], completion_ns=-1))
    found = figures(plan, replace(result, tasks=tasks))
    assert "makespan_ms" not in found
    assert "requests_per_s" not in found
    assert found["mean_completion_ms"] == 10


def test_what_a_kernel_does_not_show_is_left_out():
    plan, result = run(10 * MS, 30 * MS)
    tasks = tuple(replace(task, max_wait_ns=-1) for task in result.tasks)
    played = replace(result, tasks=tasks, cpus=tuple(replace(cpu, idle_waste_ns=-1) for cpu in result.cpus))
    assert set(figures(plan, result)) - set(figures(plan, played)) == {"longest_wait_ms", "idle_while_waiting"}


def test_a_run_that_never_began_has_few_figures():
    plan, result = run(MS)
    empty = replace(result, tasks=(), cpus=(), end_ns=0, labels=(LabelResult(wakeup=Histogram(), request=Histogram()),))
    assert set(figures(plan, empty)) <= {"context_switches", "preemptions", "migrations", "far_migrations"}


def test_idle_while_work_waits_is_a_share_of_wall_time():
    plan, result = run(10 * MS)
    cpus = (CpuResult(busy_ns=6, idle_ns=4, idle_waste_ns=1), CpuResult(busy_ns=8, idle_ns=2, idle_waste_ns=2))
    found = figures(plan, replace(result, cpus=cpus))
    assert (found["utilisation"], found["idle_while_waiting"]) == (0.7, 0.15)


def test_each_label_has_its_own_figures():
    plan, result = run(10 * MS, 30 * MS, labels=("short", "long"))
    assert members_of(plan) == ((0,), (1,))
    short, long = (label_figures(result, label, members) for label, members in enumerate(members_of(plan)))
    assert (short["mean_completion_ms"], short["cpu_time_ms"]) == (10, 10)
    assert (long["mean_completion_ms"], long["cpu_time_ms"]) == (40, 30)


def test_percentiles_of_requests_and_their_rate():
    plan, result = run(10 * MS)
    bucket = next(number for number in range(976) if bucket_bounds(number)[0] <= 2_000_000 < bucket_bounds(number)[1])
    one = LabelResult(wakeup=Histogram(), request=Histogram(((bucket, 100),)))
    found = figures(plan, replace(result, labels=(one,)))
    assert found["requests_per_s"] == 10_000
    assert bucket_bounds(bucket)[0] <= found["request_p99_us"] * 1000 < bucket_bounds(bucket)[1]
    assert "wakeup_p50_us" not in found


def test_every_figure_has_a_meaning():
    assert list(figures(*run(MS, MS))) == [name for name in FIGURES if name in figures(*run(MS, MS))]
    assert {meaning.better for meaning in FIGURES.values()} == {"lower", "higher", ""}


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=50))
def test_jain_s_index_is_between_one_nth_and_one(shares):
    assert 1 / len(shares) - 1e-9 <= jain(shares) <= 1 + 1e-9


def test_jain_s_index_at_its_ends():
    assert jain([0.3] * 7) == pytest.approx(1)
    assert jain([1, 0, 0, 0]) == 0.25
    assert jain([]) is jain([0.0, 0.0]) is None
