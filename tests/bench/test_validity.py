from dataclasses import replace

import pytest

from schedops.agent.quantum import Discipline, simulate
from schedops.bench.validity import why_invalid, why_unread
from schedops.workloads.arms import setup_of
from schedops.workloads.expand import expand
from tests.fakes.measurements import OFF, ON
from tests.fakes.workloads import batch, hints

PLAN = expand(batch(), seed=1, cpus=2)
SETUP = setup_of("candidate", PLAN, hints=hints(PLAN), policy_takes_hints=True, name_seed=1)
READING = simulate(PLAN, SETUP, Discipline.LONG_FIRST, us_per_work=1.0)


def test_the_right_scheduler_before_and_after_is_valid():
    assert why_invalid("ours", ON, ON) == ""
    assert why_invalid("", OFF, OFF) == ""


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (OFF, OFF, "before the run the policy was disabled"),
        (ON, OFF, "after the run the policy was disabled"),
        (replace(ON, ops="theirs"), ON, "before the run 'theirs' was in charge, not 'ours'"),
        (replace(ON, task_on_ext=False), ON, "before the run no normal task was seen under the policy"),
        (ON, replace(ON, task_on_ext=None), "after the run no normal task was seen under the policy"),
        (ON, replace(ON, enable_seq=5), "a policy was enabled during the run (enable_seq 4 to 5)"),
    ],
)
def test_candidate_not_in_charge(before, after, why):
    assert why_invalid("ours", before, after) == why


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (ON, OFF, "before the run sched_ext was enabled (ours), not disabled"),
        (OFF, replace(OFF, state="disabling"), "after the run sched_ext was disabling (no name), not disabled"),
        (OFF, replace(OFF, enable_seq=4), "a policy was enabled during the run (enable_seq 3 to 4)"),
    ],
)
def test_default_not_in_charge(before, after, why):
    assert why_invalid("", before, after) == why


def test_whole_reading_is_valid():
    assert why_unread(PLAN, SETUP, READING) == ""


def test_failed_job_is_invalid():
    bad = replace(READING, exit_codes=(0, 137, *READING.exit_codes[2:]))
    assert why_unread(PLAN, SETUP, bad) == "1 of 11 jobs failed, the first with exit code 137"


def test_short_column_is_invalid():
    bad = replace(READING, end_us=READING.end_us[1:])
    assert why_unread(PLAN, SETUP, bad) == "end_us has 10 entries for 11 jobs"


def test_hints_that_were_not_taken_are_invalid():
    bad = replace(READING, hints_accepted=10)
    assert why_unread(PLAN, SETUP, bad) == "the loader took 10 of 11 hints"


def test_hints_of_groups_count_as_well():
    with_group = replace(SETUP, group_hint_ns=(11_000,))
    assert why_unread(PLAN, with_group, READING) == "the loader took 11 of 12 hints"
    assert why_unread(PLAN, with_group, replace(READING, hints_accepted=12)) == ""
