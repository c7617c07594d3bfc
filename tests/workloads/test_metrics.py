from __future__ import annotations

import dataclasses

import pytest

from schedops.errors import Unavailable
from schedops.model.jobs import Group, Job, JobPlan, RunReading
from schedops.model.workload import BatchModel, BuildsModel, Workload
from schedops.workloads.floor import floor_us
from schedops.workloads.metrics import metrics_of
from schedops.workloads.tables import metric_table

BUILDS = BuildsModel(
    builds=2, compile_jobs=(2,), parallel_jobs=2, job_work=1000, compile_sigma=0.5, link_factor=2.0, test_jobs=1,
    test_sigma=0.3, long_test_factor=6.0, length_sigma=0.3, arrival_gap_ms=1.0,
)  # fmt: skip
BATCH = BatchModel(short_jobs_per_cpu=1, long_jobs=1, job_work=1000, long_factor=7.4, length_sigma=0.15)


def workload(**model: object) -> Workload:
    return Workload(name="w", description="d", objectives=(), guards=(), rounds=1, warmup_rounds=0, **model)


def plan(places: list[tuple[int, int]], arrivals_us: tuple[int, ...] = (0,), cpus: int = 2) -> JobPlan:
    groups = tuple(Group(arrival_us=arrival, parallel=(9, 9, 9)) for arrival in arrivals_us)
    jobs = tuple(Job(key=f"{at:016x}", group=group, phase=phase, work=1) for at, (group, phase) in enumerate(places))
    return JobPlan(seed=1, cpus=cpus, groups=groups, jobs=jobs)


def reading(end_us: list[int], cpu_us: list[int]) -> RunReading:
    zeros = (0,) * len(end_us)
    return RunReading(
        start_us=zeros, end_us=tuple(end_us), cpu_us=tuple(cpu_us), run_delay_us=zeros, voluntary_switches=zeros,
        involuntary_switches=zeros, exit_codes=zeros, hints_accepted=0, wall_us=max(end_us), context_switches=0,
        wakeups=0, machine_cpu_us=20_000,
    )  # fmt: skip


# Two builds of compile, compile, link, test; the second arrives after 1 ms.
TWO_BUILDS = plan([(0, 0), (0, 0), (0, 1), (0, 2), (1, 0), (1, 0), (1, 1), (1, 2)], (0, 1000))
RUN = reading([1000, 2000, 4000, 8000, 5000, 6000, 9000, 13000], [1000, 2000, 1000, 4000, 1000, 1000, 2000, 4000])


def values(*arguments) -> dict[str, float]:
    return {metric.metric: metric.value for metric in metrics_of(*arguments)}


def test_builds_by_hand():
    # CPU time 16 ms on 2 CPUs: floor 8 ms; the longest chain is 2 + 1 + 4 = 7 ms. Build times 8 and 12 ms.
    assert values(workload(builds=BUILDS), TWO_BUILDS, RUN) == {
        "mean_build_time_per_floor": 10 / 8,
        "mean_build_time_ms": 10.0,
        "all_done_per_floor": 13 / 8,
        "all_done_ms": 13.0,
        "worst_slowdown": 12 / 8,
        "cpu_time_per_build_ms": 8.0,
        "machine_cpu_per_build_ms": 10.0,
    }


def test_batch_by_hand():
    # Three short jobs and a long one of 5 ms: 8 ms of CPU time on 2 CPUs is 4 ms, the long job alone is the floor.
    batch = plan([(0, 0)] * 4)
    assert values(workload(batch=BATCH), batch, reading([2000, 1000, 4000, 7000], [1000, 1000, 1000, 5000])) == {
        "makespan_per_floor": 7 / 5,
        "makespan_ms": 7.0,
        "mean_completion_per_floor": 3.5 / 5,
        "mean_completion_ms": 3.5,
        "slowest_short_per_floor": 4 / 5,
        "cpu_time_per_job_ms": 2.0,
        "machine_cpu_per_job_ms": 5.0,
    }


def test_what_nobody_saw_is_left_out_and_never_zero():
    unseen = dataclasses.replace(reading([9, 9], [5, 5]), machine_cpu_us=None)
    found = values(workload(batch=BATCH), plan([(0, 0)] * 2), unseen)
    assert "machine_cpu_per_job_ms" not in found
    assert found["cpu_time_per_job_ms"] == 0.005


def test_units_and_order_are_those_of_the_table():
    one = workload(builds=BUILDS)
    assert [(m.metric, m.unit) for m in metrics_of(one, TWO_BUILDS, RUN)] == [
        (name, unit) for name, (unit, _) in metric_table(one).items()
    ]


def test_floor_is_the_work_when_there_is_much_of_it():
    assert floor_us(TWO_BUILDS, RUN, 2) == 8000


def test_floor_is_the_longest_chain_when_there_are_many_cpus():
    assert floor_us(TWO_BUILDS, RUN, 64) == 7000


def test_a_host_twice_as_slow_changes_no_figure_per_floor():
    builds = workload(builds=BUILDS)
    slow = plan([(j.group, j.phase) for j in TWO_BUILDS.jobs], (0, 2000))
    twice = reading([2 * end for end in RUN.end_us], [2 * cpu for cpu in RUN.cpu_us])
    twice = dataclasses.replace(twice, machine_cpu_us=40_000)
    one, two = values(builds, TWO_BUILDS, RUN), values(builds, slow, twice)
    same = {name for name in one if one[name] == two[name]}
    assert same == {"mean_build_time_per_floor", "all_done_per_floor", "worst_slowdown"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"end_us": (1, 2)}, "end_us of 2 jobs, 8 were run"),
        ({"exit_codes": ()}, "exit_codes of 0 jobs, 8 were run"),
        ({"end_us": (*RUN.end_us[:-1], 999)}, "1 jobs that ended before they could begin"),
        ({"cpu_us": (0,) * 8}, "no CPU time"),
        ({"cpu_us": (*RUN.cpu_us[:-1], -1)}, "no CPU time"),
    ],
)
def test_a_reading_that_cannot_be_is_not_measured(wrong, message):
    with pytest.raises(Unavailable, match=message) as caught:
        metrics_of(workload(builds=BUILDS), TWO_BUILDS, dataclasses.replace(RUN, **wrong))
    assert caught.value.code == "bad-reading"


def test_a_build_without_measurable_cpu_time_gives_a_number():
    still = dataclasses.replace(RUN, cpu_us=(1000, 0, 0, 0, 0, 0, 0, 0))
    assert values(workload(builds=BUILDS), TWO_BUILDS, still)["worst_slowdown"] == 12000.0
