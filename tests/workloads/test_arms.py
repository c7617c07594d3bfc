from dataclasses import replace

import pytest

from schedops.model.jobs import Hints
from schedops.workloads.arms import expected_ns, group_hints, setup_of
from schedops.workloads.expand import expand
from tests.fakes.workloads import batch, hints

PLAN = expand(batch(), seed=1, cpus=2)
KEYS = [job.key for job in PLAN.jobs]
KNOWN = hints(PLAN)


def setup(arm, known=KNOWN, *, takes=True):
    return setup_of(arm, PLAN, hints=known, policy_takes_hints=takes, name_seed=5)


def test_default_is_flat_and_knows_nothing():
    found = setup("eevdf")
    assert (found.cgroup_per_group, set(found.nice), set(found.hint_ns)) == (False, {0}, {0})


def test_informed_puts_behind_what_is_expected_to_be_short():
    found = setup("informed")
    assert found.cgroup_per_group
    assert found.nice == (10,) * 10 + (0,)
    assert set(found.hint_ns) == {0}


def test_informed_without_hints_is_cgroups_alone():
    found = setup("informed", None)
    assert (found.cgroup_per_group, set(found.nice)) == (True, {0})


def test_informed_leaves_unknown_jobs_alone():
    partial = replace(KNOWN, hints=tuple(hint for hint in KNOWN.hints if hint.key != PLAN.jobs[3].key))
    assert setup("informed", partial).nice == (10, 10, 10, 0, 10, 10, 10, 10, 10, 10, 0)


def test_informed_with_equal_hints_changes_no_nice_value():
    level = Hints(workload="w", hints=tuple(replace(hint, cpu_us=1000) for hint in KNOWN.hints))
    assert set(setup("informed", level).nice) == {0}


def test_candidate_gets_hints_only_if_it_declares_them():
    assert setup("candidate").hint_ns == tuple(job.work * 1000 for job in PLAN.jobs)
    assert set(setup("candidate", takes=False).hint_ns) == {0}
    assert setup("candidate").cgroup_per_group


def test_candidate_gets_hints_of_groups_only_if_it_declares_them():
    wants = {"policy_takes_hints": True, "name_seed": 5}
    told = setup_of("candidate", PLAN, hints=KNOWN, policy_takes_group_hints=True, **wants)
    assert told.group_hint_ns == (sum(job.work * 1000 for job in PLAN.jobs),)
    assert setup("candidate").group_hint_ns == ()
    assert setup_of("informed", PLAN, hints=KNOWN, policy_takes_group_hints=True, **wants).group_hint_ns == ()


def test_a_group_with_a_job_that_nobody_knows_is_not_known():
    expected = list(expected_ns(KEYS, KNOWN))
    assert group_hints(PLAN, expected) == (sum(expected),)
    expected[3] = 0
    assert group_hints(PLAN, expected) == (0,)


def test_expected_time_is_nanoseconds_and_zero_where_unknown():
    assert expected_ns(KEYS, None) == (0,) * 11
    assert expected_ns(KEYS, KNOWN)[0] == PLAN.jobs[0].work * 1000


def test_unknown_arm_is_refused():
    with pytest.raises(ValueError, match="no arm is called 'best'"):
        setup("best")
