"""Roles, figures, costs and bottleneck of plays that a model makes of real workloads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.analyze.accounted import accounted_figures, missing_of
from schedops.analyze.agreement import agreement_figures
from schedops.analyze.bottleneck import bottleneck_of
from schedops.analyze.candidates import candidate_slos
from schedops.analyze.costs import ideal_s, scales_of, work_ns
from schedops.analyze.played import played_figures
from schedops.analyze.roles import task_classes, tasks_of
from schedops.model.machine import flat_machine
from schedops.model.measurements import MetricValue
from schedops.model.profile import Figure
from schedops.model.simulation import Instruction, Op, SimPlan, SimTask
from schedops.repository import load_workload
from schedops.sim.programs.plan import plan_of
from tests.fakes.plays import accounting_at, play_of, probes_of

ROOT = Path(__file__).parent.parent.parent


def plan_named(name: str, scale: float = 1.0) -> SimPlan:
    return plan_of(load_workload(ROOT, name), machine=flat_machine(2), seed=1, scale=scale)


def roles(name: str, *, probed: bool) -> dict[str, str]:
    plan = plan_named(name)
    reading = play_of(plan, 2)
    rows = task_classes(plan, reading, probes_of(plan, reading) if probed else None)
    return {row.name: row.role for row in rows}


def test_what_the_tasks_of_a_class_do() -> None:
    assert roles("ci-builds", probed=False) == {
        "make": "starter",
        "compile": "job",
        "test": "job",
        "link": "job",
    }
    without, with_probes = (roles("sort-join", probed=probed) for probed in (False, True))
    assert without["join"] == "sleeper"
    assert with_probes["join"] == "served"


def test_the_figures_of_a_play() -> None:
    plan = plan_named("uneven-batch")
    reading = play_of(plan, 2)
    rows = task_classes(plan, reading)
    found = {one.name: one.value for one in played_figures(plan, reading, rows, 2)}
    assert found["tasks"] == len(tasks_of(plan, reading)) == 12
    assert (found["groups"], found["starters"]) == (1, 1)
    assert found["longest_to_median"] == pytest.approx(7.4, rel=0.3)
    assert found["work_cpu_share"] == 1.0
    assert found["ended_share"] == 1.0
    assert found["roles"] == 1
    assert not {"served_cpu_share", "typical_burst_ms", "requests_per_s"} & set(found)  # not told, not zero


def test_what_a_program_asks_for_is_added_up_over_its_loops() -> None:
    program = (
        Instruction(Op.RUN, 10),
        Instruction(Op.RUN_TABLE, 0),
        Instruction(Op.LOOP, 1, 3),
        Instruction(Op.LOOP, 0, 2, 1),
        Instruction(Op.RUN, 5),
    )
    plan = SimPlan(
        seed=1,
        tasks=(SimTask(name="a", program=0), SimTask(name="b", program=0)),
        programs=(program,),
        tables=((2, 4),),
    )
    assert work_ns(plan, program) == 2 * (10 + 3 * 3) + 5
    assert ideal_s(plan, 2) == pytest.approx(43e-9)
    assert ideal_s(plan, 1) == pytest.approx(86e-9)


def test_what_is_made_smaller_stays_what_it_is() -> None:
    builds = load_workload(ROOT, "ci-builds")
    assert scales_of(builds) == (1.0, 0.5)  # one build would have nobody to compete with
    assert scales_of(load_workload(ROOT, "kernel-build")) == (1.0, 0.5, 0.25, 0.1)
    assert scales_of(load_workload(ROOT, "uneven-batch")) == (1.0,)


def test_what_is_measured_twice_is_held_against_each_other() -> None:
    plan = plan_named("ci-builds", scale=0.5)
    reading = play_of(plan, 2)
    found = agreement_figures(plan, reading, 2_020_000_000, 2.0, (reading, probes_of(plan, reading)))
    assert {one.name: one.value for one in found} == {"clock_agreement": 1.01, "probe_agreement": 1.0}
    counted = replace(reading, cgroup_ns=reading.cpu_ns)
    cgroups = agreement_figures(plan, counted, 1, 1.0, None)[-1]
    assert (cgroups.name, cgroups.value) == ("cgroup_agreement", 1.0)
    done = sum(task.cpu_ns for task in reading.result.tasks)
    usage = agreement_figures(plan, replace(reading, rusage_ns=done // 2), 1, 1.0, None)[-1]
    assert (usage.name, usage.value) == ("rusage_agreement", 0.5)


def test_tasks_that_time_cut_off_are_held_against_no_probes() -> None:
    plan = plan_named("timers-under-load")
    reading = replace(play_of(plan, 2), rusage_ns=0)
    found = agreement_figures(plan, reading, 2_000_000_000, 2.0, (reading, probes_of(plan, reading)))
    assert [one.name for one in found] == ["clock_agreement"]  # and nobody was done


def test_accounting_leaves_out_what_was_not_said_and_names_it() -> None:
    spent = accounting_at(3_000_000_000).since(accounting_at(1_000_000_000))
    found = {one.name: one.value for one in accounted_figures(spent)}
    assert found["idle_share"] == pytest.approx(0.5)
    assert found["cpu_pressure"] == pytest.approx(0.25)
    assert found["waiting_mean"] == pytest.approx(0.25)
    assert "io_pressure" not in found
    missing = {one.what: one.reason for one in missing_of(spent)}
    assert "io_pressure" in missing


@pytest.mark.parametrize(
    ("busy", "queued", "timers", "expected"),
    [
        (0.95, 0.5, 0.0, "cpu-saturated"),
        (0.6, 0.4, 0.0, "queueing"),
        (0.5, 0.05, 0.0, "serial"),
        (0.75, 0.05, 0.0, "dependency-chain"),
        (0.1, 0.0, 0.0, "waiting"),
        (0.25, 0.3, 0.9, "waiting"),
    ],
)
def test_what_keeps_it_from_being_done_sooner(busy, queued, timers, expected) -> None:
    values = {"parallelism": busy, "runnable_share": queued, "timer_wakeup_share": timers}
    figures = [Figure(name=name, value=value, unit="share", how="") for name, value in values.items()]
    assert bottleneck_of(figures, 2).name == expected


def test_candidate_slos_keep_a_margin_on_the_right_side() -> None:
    workload = load_workload(ROOT, "schbench-like")
    metrics = (
        MetricValue(metric="request_p99_us", unit="us", value=40_000),
        MetricValue(metric="requests_per_s", unit="1/s", value=1000),
        MetricValue(metric="utilisation", unit="ratio", value=0.9),
    )
    found = {one.metric: (one.direction, one.bound) for one in candidate_slos(workload, metrics, whole=True)}
    assert found == {"request_p99_us": ("lower", 50_000), "requests_per_s": ("higher", 800)}
    build = (MetricValue(metric="all_done_ms", unit="ms", value=900),)
    assert candidate_slos(load_workload(ROOT, "ci-builds"), build, whole=True)[0].bound == 1100
    assert candidate_slos(load_workload(ROOT, "ci-builds"), build, whole=False) == ()
