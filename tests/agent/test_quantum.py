import pytest

from schedops.agent.quantum import Discipline, simulate
from schedops.model.jobs import Group, Job, JobPlan, RunSetup


def plan(*groups, cpus=1):
    """:param groups: (arrival, parallel limits, phases of lengths)."""
    jobs = tuple(
        Job(key=f"{number}.{phase}.{index}", group=number, phase=phase, work=work)
        for number, (_, _, phases) in enumerate(groups)
        for phase, lengths in enumerate(phases)
        for index, work in enumerate(lengths)
    )
    made = tuple(Group(arrival_us=arrival, parallel=parallel) for arrival, parallel, _ in groups)
    return JobPlan(seed=0, cpus=cpus, groups=made, jobs=jobs)


def ends(jobs, discipline=Discipline.FAIR, *, nice=None, hints=None, cgroups=False, slice_us=10):
    count = len(jobs.jobs)
    setup = RunSetup(
        cgroup_per_group=cgroups, nice=tuple(nice or [0] * count), hint_ns=tuple(hints or [0] * count), name_seed=0
    )
    return simulate(jobs, setup, discipline, us_per_work=1.0, slice_us=slice_us).end_us


def test_fair_sharing_ends_equal_jobs_together():
    assert ends(plan((0, (2,), [[100, 100]]))) == (190, 200)


def test_two_cpus_run_two_jobs_at_once():
    assert ends(plan((0, (2,), [[100, 100]]), cpus=2)) == (100, 100)


def test_nice_ten_waits_for_nice_zero():
    first, second = ends(plan((0, (2,), [[100, 100]])), nice=[10, 0])
    assert second < 130
    assert first == 200


def test_cgroups_share_by_group_and_flat_sharing_by_job():
    crowd = plan((0, (3,), [[90, 90, 90]]), (0, (1,), [[90]]))
    assert ends(crowd)[3] >= 330
    assert ends(crowd, cgroups=True)[3] <= 190


def test_groups_in_order_finish_the_first_before_the_second():
    assert ends(plan((0, (2,), [[100, 100]]), (5, (1,), [[50]])), Discipline.GROUPS_IN_ORDER) == (100, 200, 250)


def test_groups_in_order_take_the_longest_expected_job_first():
    jobs = plan((0, (2,), [[50, 100]]))
    assert ends(jobs, Discipline.GROUPS_IN_ORDER, hints=[50, 100]) == (150, 100)


def test_long_first_then_the_others_to_their_end_in_order():
    jobs = plan((0, (4,), [[50, 50, 50, 300]]))
    assert ends(jobs, Discipline.LONG_FIRST, hints=[50, 50, 50, 300]) == (350, 400, 450, 300)


def test_long_first_without_hints_is_fair():
    jobs = plan((0, (4,), [[50, 50, 50, 300]]))
    assert ends(jobs, Discipline.LONG_FIRST) == ends(jobs)


def test_phases_follow_each_other_and_keep_their_limit():
    build = plan((7, (1, 2), [[10, 20], [30, 40]]), cpus=4)
    found = simulate(
        build,
        RunSetup(cgroup_per_group=True, nice=(0,) * 4, hint_ns=(0,) * 4, name_seed=0),
        Discipline.FAIR,
        us_per_work=1.0,
    )
    assert (found.start_us, found.end_us) == ((7, 17, 37, 37), (17, 37, 67, 77))
    assert found.cpu_us == (10, 20, 30, 40)
    assert found.run_delay_us == (0, 0, 0, 0)
    assert found.wall_us == 77


@pytest.mark.parametrize("discipline", list(Discipline))
def test_work_is_neither_lost_nor_made(discipline):
    jobs = plan((0, (3, 1), [[40, 70, 30], [20]]), (15, (2,), [[60, 10]]), cpus=2)
    found = ends(jobs, discipline, hints=[1, 2, 3, 4, 5, 6], cgroups=True)
    assert max(found) * 2 >= 230
    assert max(found) <= 230
