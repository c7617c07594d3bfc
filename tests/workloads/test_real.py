from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.model.programs import ProgramReading, ProgramServer
from schedops.model.workload_real import RealJob, RealPrograms, RealRead, RealServer
from schedops.repository import load_workloads
from schedops.workloads.real import (
    REAL_METRICS,
    count_of,
    kinds_of,
    program_plan,
    real_metrics,
    real_problems,
    shell_plan,
    unit_of,
    why_undone,
)

LOAD = RealJob(name="load", command=("wrk", "-t{cpus}"), fixed=True, long=True, expect="requests in")
HOG = RealJob(
    name="hog", command=("xz", "{i}.txt", "{other}"), count=0, per_cpu=1.5, group=1, nice=3, arrival_ms=2, output="{i}"
)
REAL = RealPrograms(
    packages=("wrk",),
    jobs=(LOAD, HOG),
    before=("rm -f {i} {cpus} {jobs}",),
    servers=(RealServer(command=("nginx", "{cpus}"), tcp_port=80, group=1, nice=4),),
    reads=(
        RealRead(metric="requests_per_s", job="load", pattern=r"Requests/sec: +([0-9.]+)"),
        RealRead(metric="request_p99_us", job="load", pattern=r"99% +([0-9.]+)(\w+)"),
    ),
)
SAID = "900 requests in 1 s\n99%  2.50ms\nRequests/sec:  88.5\n"
READING = ProgramReading(
    start_us=(0, 2000, 2000, 2000),
    end_us=(90_000, 50_000, 60_000, 100_000),
    cpu_us=(10_000, 40_000, 40_000, 70_000),
    voluntary_switches=(1,) * 4,
    involuntary_switches=(1,) * 4,
    exit_codes=(0,) * 4,
    outputs=(SAID, "", "", ""),
    wall_us=100_000,
    context_switches=9,
    cgroup_us=170_000,
    clean=True,
    server_codes=(None,),
    server_outputs=("",),
)


def plan_and_kinds():
    return program_plan(REAL, cpus=2, scale=1, name_seed=5), kinds_of(REAL, cpus=2, scale=1)


def test_a_plan_has_as_many_jobs_as_asked_for() -> None:
    plan, kinds = plan_and_kinds()
    assert [job.argv for job in plan.jobs] == [
        ("wrk", "-t2"),
        ("xz", "0.txt", "{other}"),
        ("xz", "1.txt", "{other}"),
        ("xz", "2.txt", "{other}"),
    ]
    assert [kind.name for kind in kinds] == ["load", "hog", "hog", "hog"]
    assert plan.servers == (ProgramServer(argv=("nginx", "2"), tcp_port=80, group=1, nice=4),)
    assert (plan.shell, plan.cgroup_per_group, plan.name_seed) == ((), True, 5)
    job = plan.jobs[2]
    assert (job.arrival_us, job.group, job.nice, job.output) == (2000, 1, 3, "1")
    assert plan.jobs[0].output == ""
    assert shell_plan(REAL.before, REAL, cpus=2, scale=1).shell == ("rm -f {i} 2 4",)
    assert [count_of(HOG, cpus=2, scale=scale) for scale in (0.1, 1, 4)] == [1, 3, 12]
    assert count_of(LOAD, cpus=2, scale=4) == 1


def test_the_metrics_are_those_of_the_programs_and_what_they_say() -> None:
    plan, kinds = plan_and_kinds()
    found = {one.metric: (one.value, one.unit) for one in real_metrics(REAL, kinds, plan, READING, cpus=2)}
    floor_us = 170_000 / 2
    assert found["makespan_ms"] == (100, "ms")
    assert found["makespan_per_floor"] == (pytest.approx(100_000 / floor_us), "ratio")
    assert found["mean_completion_ms"] == (pytest.approx((90 + 48 + 58 + 98) / 4), "ms")
    assert (found["cpu_time_ms"], found["cpu_time_per_job_ms"]) == ((170, "ms"), (42.5, "ms"))
    assert found["slowest_short_per_floor"] == (pytest.approx(100_000 / floor_us), "ratio")
    assert found["request_p99_us"] == (2500, "us")
    assert found["requests_per_s"] == (88.5, "1/s")
    assert "machine_cpu_ms" not in found  # the host did not say: left out, not zero
    known = replace(READING, machine_cpu_us=5000)
    assert {one.metric for one in real_metrics(REAL, kinds, plan, known, cpus=2)} - set(found) == {
        "machine_cpu_ms",
        "machine_cpu_per_job_ms",
    }


def test_the_floor_is_that_of_jobs_that_use_one_cpu() -> None:
    reading = replace(READING, cpu_us=(150_000, 40_000, 40_000, 70_000))
    real = replace(REAL, jobs=(replace(LOAD, parallel=True), HOG))
    floors = []
    for one in (REAL, real):
        plan, kinds = program_plan(one, cpus=2, scale=1, name_seed=5), kinds_of(one, cpus=2, scale=1)
        found = {each.metric: each.value for each in real_metrics(one, kinds, plan, reading, cpus=2)}
        floors.append(found["makespan_ms"] / found["makespan_per_floor"])
    assert floors == [pytest.approx(150), pytest.approx(85)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"exit_codes": (0, 0, 137, 0)}, "hog ended with 137: xz 1.txt"),
        ({"outputs": ("none", "", "", "")}, "load did not say"),
        ({"outputs": (SAID.replace("88.5", "fast"), "", "", "")}, "load did not say its requests_per_s"),
        ({"outputs": (SAID.replace("ms", "days"), "", "", "")}, "load did not say its request_p99_us"),
        ({"server_codes": (0,), "server_outputs": ("tired",)}, "server ended with 0 before the jobs: nginx 2: tired"),
        ({"clean": False}, "left over"),
    ],
)
def test_a_program_that_did_less_than_asked_makes_the_run_invalid(change: dict[str, object], why: str) -> None:
    plan, kinds = plan_and_kinds()
    found = why_undone(REAL, kinds, plan, replace(READING, **change))
    assert why in found if why else not found


def test_a_workload_that_cannot_be_read_is_refused_by_path() -> None:
    assert real_problems(REAL) == ()
    wrong = replace(
        REAL,
        jobs=(LOAD, replace(LOAD, expect="(")),
        reads=(RealRead(metric="x", job="none", pattern="no group"), replace(REAL.reads[0], pattern="([")),
    )
    found = real_problems(wrong)
    assert [problem.partition(":")[0] for problem in found] == [
        "$.real.jobs[1].name",
        "$.real.reads[0].job",
        "$.real.reads[0].pattern",
        "$.real.reads[1].pattern",
        "$.real.jobs[1].expect",
    ]


def test_units() -> None:
    assert [unit_of(name) for name in ("a_per_s", "a_us", "a_ms", "a")] == ["1/s", "us", "ms", "ratio"]


def test_real_programs_say_what_their_workload_s_objectives_ask() -> None:
    tree = Path(__file__).parent.parent.parent
    found = [one for one in load_workloads(tree) if one.real is not None]
    assert len(found) >= 20
    for one in found:
        assert one.real is not None
        said = {*REAL_METRICS, *(read.metric for read in one.real.reads)}
        if all(job.long == one.real.jobs[0].long for job in one.real.jobs):
            said.remove("slowest_short_per_floor")
        assert {objective.metric for objective in one.objectives} <= said, one.name
