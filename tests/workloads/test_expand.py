from __future__ import annotations

import dataclasses
import statistics
from itertools import pairwise

import pytest

from schedops.model.jobs import Group
from schedops.model.workload import BatchModel, BuildsModel, Workload
from schedops.workloads.expand import expand

BUILDS = BuildsModel(
    builds=4,
    compile_jobs=(6, 10, 16, 24),
    parallel_jobs=4,
    job_work=1_000_000,
    compile_sigma=0.5,
    link_factor=2.0,
    test_jobs=8,
    test_sigma=0.3,
    long_test_factor=6.0,
    length_sigma=0.3,
    arrival_gap_ms=300.0,
)
BATCH = BatchModel(short_jobs_per_cpu=5, long_jobs=1, job_work=1_000_000, long_factor=7.4, length_sigma=0.15)


def workload(**model: object) -> Workload:
    return Workload(name="w", description="d", objectives=(), guards=(), rounds=1, warmup_rounds=0, **model)


def builds(seed=1, **arguments):
    return expand(workload(builds=BUILDS), seed=seed, cpus=2, **arguments)


def keys(plan):
    return sorted(job.key for job in plan.jobs)


def test_equal_arguments_give_equal_plans():
    assert builds(seed=7) == builds(seed=7)


def test_the_draws_never_change_between_versions():
    plan = builds(seed=1)
    assert [group.arrival_us for group in plan.groups] == ARRIVALS
    assert [(job.key, job.work) for job in plan.jobs[:2]] == FIRST


def test_another_seed_gives_the_same_jobs_with_other_lengths():
    one, two = builds(seed=1), builds(seed=2)
    assert keys(one) == keys(two)
    assert {job.work for job in one.jobs}.isdisjoint(job.work for job in two.jobs)


def test_keys_are_unique_and_say_nothing():
    found = keys(builds())
    assert len(set(found)) == len(found) == 6 + 10 + 16 + 24 + 4 * 9
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in found)


def test_a_build_is_compile_link_tests():
    plan = builds()
    for at, group in enumerate(plan.groups):
        assert group.parallel == (4, 1, 4)
        phases = [job.phase for job in plan.jobs if job.group == at]
        assert phases == sorted(phases)
        assert phases.count(1) == 1
        assert phases.count(2) == 8
    assert sorted(sum(j.group == g and j.phase == 0 for j in plan.jobs) for g in range(4)) == [6, 10, 16, 24]


def test_the_first_build_arrives_at_once_and_the_order_of_projects_changes():
    plans = [builds(seed=seed) for seed in range(8)]
    assert {plan.groups[0].arrival_us for plan in plans} == {0}
    sizes = {tuple(sum(j.group == g for j in plan.jobs) for g in range(4)) for plan in plans}
    assert len(sizes) > 3


def test_gaps_have_the_mean_of_the_model():
    runs = [builds(seed=seed).groups for seed in range(300)]
    gaps = [later.arrival_us - earlier.arrival_us for run in runs for earlier, later in pairwise(run)]
    assert statistics.mean(gaps) == pytest.approx(300_000, rel=0.1)


def test_a_job_keeps_its_mean_and_varies_by_length_sigma():
    runs = [{job.key: job.work for job in builds(seed=seed).jobs} for seed in range(300)]
    link = next(job.key for job in builds().jobs if job.phase == 1)
    assert statistics.mean(run[link] for run in runs) == pytest.approx(2_000_000, rel=0.06)
    ratio = [run[link] / 2_000_000 for run in runs]
    assert statistics.stdev(ratio) == pytest.approx(0.307, rel=0.15)


def test_one_test_of_every_build_is_long():
    plan = expand(workload(builds=dataclasses.replace(BUILDS, length_sigma=0.0, test_sigma=0.0)), seed=1, cpus=2)
    for at in range(4):
        lengths = sorted(job.work for job in plan.jobs if job.group == at and job.phase == 2)
        assert lengths == [1_000_000] * 7 + [6_000_000]


def test_scale_changes_how_many_builds_come():
    assert len(builds(scale=2.0).groups) == 8
    assert len(builds(scale=0.01).groups) == 1


def test_a_project_that_is_built_twice_has_the_same_keys_twice():
    found = keys(builds(scale=2.0))
    assert len(found) == 2 * len(set(found))


def test_batch_submits_the_long_job_last():
    plan = expand(workload(batch=dataclasses.replace(BATCH, length_sigma=0.0)), seed=3, cpus=2)
    assert [job.work for job in plan.jobs] == [1_000_000] * 10 + [7_400_000]
    assert plan.groups == (Group(arrival_us=0, parallel=(11,)),)
    assert {job.phase for job in plan.jobs} == {0}


def test_batch_grows_with_the_cpus_and_keeps_its_jobs():
    two, eight = (expand(workload(batch=BATCH), seed=3, cpus=cpus) for cpus in (2, 8))
    assert (len(two.jobs), len(eight.jobs)) == (11, 41)
    assert set(keys(two)) < set(keys(eight))
    assert two.jobs[-1].key == eight.jobs[-1].key


def test_workloads_share_no_keys():
    other = dataclasses.replace(workload(builds=BUILDS), name="v")
    assert set(keys(expand(other, seed=1, cpus=2))).isdisjoint(keys(builds()))


@pytest.mark.parametrize(("cpus", "scale"), [(0, 1.0), (2, 0.0), (2, -1.0), (2, float("nan"))])
def test_nonsense_is_refused(cpus, scale):
    with pytest.raises(ValueError, match="cpus must be"):
        expand(workload(builds=BUILDS), seed=1, cpus=cpus, scale=scale)


ARRIVALS = [0, 479673, 660294, 1075639]
FIRST = [("aca8423b16b652ef", 1256624), ("aca45fab70a1fc17", 626208)]
