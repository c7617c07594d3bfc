"""What a run of programs teaches, and who is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import InputError
from schedops.workloads.arms import expected_ns
from schedops.workloads.real import kinds_of, program_plan
from schedops.workloads.real_setup import (
    has_programs,
    hints_from_programs,
    key_of_program,
    launched,
    program_setup,
    require_programs,
)
from tests.fakes.workloads import batch
from tests.workloads.test_real import READING, REAL

PLAN, KINDS = program_plan(REAL, cpus=2, scale=1, name_seed=5), kinds_of(REAL, cpus=2, scale=1)
HINTS = hints_from_programs("w", PLAN, READING, "2026-11-21")


def test_history_knows_jobs_by_their_command() -> None:
    other = program_plan(REAL, cpus=4, scale=1, name_seed=6)  # another -t: another job; three hogs more
    keys = [key_of_program(job) for job in other.jobs]
    assert expected_ns(keys, HINTS) == (0, 40_000_000, 40_000_000, 70_000_000, 0, 0, 0)
    assert {one.measured for one in HINTS.hints} == {"2026-11-21"}
    nothing = replace(READING, cpu_us=(0, 40_000, 40_000, 70_000))
    assert len(hints_from_programs("w", PLAN, nothing, "2026-11-21").hints) == 3


@pytest.mark.parametrize(
    ("arm", "takes", "nice", "told"),
    [
        ("eevdf", True, (0, 3, 3, 3), False),
        ("informed", True, (10, 3, 3, 3), False),  # what the workload itself says stays
        ("candidate", True, (0, 3, 3, 3), True),
        ("candidate", False, (0, 3, 3, 3), False),
    ],
)
def test_an_arm_launches_the_same_programs_its_way(arm: str, takes: bool, nice: object, told: bool) -> None:
    setup = program_setup(arm, PLAN, KINDS, hints=HINTS, policy_takes_hints=takes, name_seed=9)
    assert (setup.nice, any(setup.hint_ns), setup.cgroup_per_group, setup.name_seed) == (nice, told, True, 9)
    plan = launched(PLAN, setup)
    assert tuple(job.nice for job in plan.jobs) == nice
    assert tuple(job.hint_ns for job in plan.jobs) == setup.hint_ns
    assert (plan.name_seed, plan.servers) == (9, PLAN.servers)
    assert [job.argv for job in plan.jobs] == [job.argv for job in PLAN.jobs]
    with pytest.raises(ValueError, match="no arm"):
        program_setup("ours", PLAN, KINDS, hints=None, policy_takes_hints=False, name_seed=0)


def test_programs_that_need_something_are_not_there_by_themselves() -> None:
    assert require_programs(replace(batch(), real=REAL)) is REAL
    for workload, code in (
        (batch(), "no-programs"),
        (replace(batch(), real=replace(REAL, source=True)), "needs-source"),
    ):
        assert not has_programs(workload)
        with pytest.raises(InputError) as error:
            require_programs(workload)
        assert error.value.code == code
