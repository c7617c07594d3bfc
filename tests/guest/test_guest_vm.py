"""The guest's programs on a real kernel."""

from __future__ import annotations

import pytest

from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.adapters.vm.wire import Body
from schedops.errors import InputError
from schedops.model.guest import LoadGroup, LoadPlan
from schedops.model.jobs import Group, Job, JobPlan, RunSetup
from schedops.ports import KernelImage

pytestmark = pytest.mark.vm


def two_builds(work: int = 300_000) -> JobPlan:
    groups = (Group(arrival_us=0, parallel=(2, 1)), Group(arrival_us=30_000, parallel=(3, 1)))
    jobs = [
        Job(key=f"{g}.{p}.{i}", group=g, phase=p, work=work) for g in (0, 1) for p in (0, 1) for i in range(4 - 3 * p)
    ]
    return JobPlan(seed=1, cpus=2, groups=groups, jobs=tuple(jobs))


def setup(
    jobs: int, *, cgroups: bool = True, nice: int = 0, hint_ns: int = 0, groups: tuple[int, ...] = ()
) -> RunSetup:
    return RunSetup(
        cgroup_per_group=cgroups, nice=(nice,) * jobs, hint_ns=(hint_ns,) * jobs, name_seed=5, group_hint_ns=groups
    )


def test_a_fresh_guest_has_no_policy(guest: GuestSession) -> None:
    state = guest.state()
    assert (state.state, state.ops, state.task_on_ext) == ("disabled", "", False)


def test_a_policy_takes_charge_and_lets_go(guest: GuestSession, fifo) -> None:
    attached = guest.attach(fifo(), deadline_s=20)
    assert (attached.outcome, attached.errno, attached.log) == ("attached", 0, "")
    after = attached.after
    assert (after.state, after.ops, after.switch_all, after.task_on_ext) == ("enabled", "test_fifo", 1, True)
    assert after.enable_seq == attached.before.enable_seq + 1
    assert attached.verified_instructions > 0
    assert guest.state() == after
    gone = guest.detach(deadline_s=20)
    assert (gone.was_attached, gone.state.state, gone.programs_left) == (True, "disabled", 0)
    assert '"test_fifo" enabled' in guest.kernel_log()
    assert guest.kernel_log() == ""


def test_detaching_nothing_is_safe(guest: GuestSession) -> None:
    for _ in range(2):
        gone = guest.detach(deadline_s=20)
        assert (gone.was_attached, gone.state.state, gone.programs_left) == (False, "disabled", 0)


def test_a_refused_object_says_what_the_verifier_said(guest: GuestSession, fifo) -> None:
    refused = guest.attach(fifo("REFUSED"), deadline_s=20)
    assert (refused.outcome, refused.errno, refused.after.state) == ("load-failed", 13, "disabled")
    assert "invalid mem access" in refused.log
    assert guest.attach(fifo(), deadline_s=20).outcome == "attached"


def test_no_elf_is_open_failed(guest: GuestSession) -> None:
    reading = guest.attach(b"\x7fELF but not really", deadline_s=20)
    assert (reading.outcome, reading.after.state) == ("open-failed", "disabled")


def test_a_failing_init_is_not_enabled_though_the_kernel_reported_success(guest: GuestSession, fifo) -> None:
    reading = guest.attach(fifo("INIT_FAILS"), deadline_s=20)
    assert (reading.outcome, reading.after.state) == ("not-enabled", "disabled")
    assert "ops.init() failed (-12)" in guest.kernel_log()


@pytest.mark.parametrize("cgroups", [True, False])
def test_jobs_run_and_are_measured(guest: GuestSession, cgroups: bool) -> None:
    plan = two_builds()
    run = guest.run_jobs(plan, setup(len(plan.jobs), cgroups=cgroups, hint_ns=10), deadline_s=30)
    assert run.exit_codes == (0,) * 10
    assert all(cpu_us > 0 for cpu_us in run.cpu_us)
    assert all(start < end <= run.wall_us for start, end in zip(run.start_us, run.end_us, strict=True))
    assert run.hints_accepted == 0
    assert run.context_switches > 0
    assert sum(run.run_delay_us) > 0
    # Groups arrive when they should, phases follow each other, no more at once than allowed.
    first, second = range(5), range(5, 10)
    assert min(run.start_us[i] for i in second) >= 30_000
    assert run.start_us[4] >= max(run.end_us[i] for i in first[:4])
    assert most_at_once(run, first[:4]) == 2
    assert most_at_once(run, second[:4]) == 3


def most_at_once(run, jobs) -> int:
    return max(sum(run.start_us[j] <= run.start_us[i] < run.end_us[j] for j in jobs) for i in jobs)


@pytest.mark.parametrize("cgroups", [True, False])
def test_a_run_removes_its_cgroups(guest: GuestSession, cgroups: bool) -> None:
    bodies: list[Body] = []
    request = guest._machine.port.request

    def listening(*args, **kwargs) -> Body:
        bodies.append(request(*args, **kwargs))
        return bodies[-1]

    guest._machine.port.request = listening
    plan = two_builds(1000)
    guest.run_jobs(plan, setup(len(plan.jobs), cgroups=cgroups), deadline_s=30)
    assert bodies[0].one("clean") == "1"


def test_hints_reach_a_policy_that_takes_them(guest: GuestSession, fifo) -> None:
    plan = two_builds()
    guest.attach(fifo("WITH_HINTS"), deadline_s=20)
    assert guest.run_jobs(plan, setup(10, hint_ns=5_000_000), deadline_s=30).hints_accepted == 10
    assert guest.run_jobs(plan, setup(10, hint_ns=0), deadline_s=30).hints_accepted == 0
    whole = setup(10, hint_ns=5_000_000, groups=(25_000_000, 0))
    assert guest.run_jobs(plan, whole, deadline_s=30).hints_accepted == 11
    assert guest.detach(deadline_s=20).was_attached
    assert guest.run_jobs(plan, setup(10, hint_ns=5_000_000), deadline_s=30).hints_accepted == 0


def test_a_policy_without_a_map_gets_no_hints(guest: GuestSession, fifo) -> None:
    guest.attach(fifo(), deadline_s=20)
    assert guest.run_jobs(two_builds(1000), setup(10, hint_ns=5), deadline_s=30).hints_accepted == 0


def test_jobs_past_the_deadline_are_killed_and_nothing_is_left(guest: GuestSession) -> None:
    plan = two_builds(10**12)
    run = guest.run_jobs(plan, setup(10), deadline_s=0.4)
    assert run.exit_codes == (137,) * 10
    assert guest.run_jobs(two_builds(1000), setup(10), deadline_s=30).exit_codes == (0,) * 10


def test_a_thousand_jobs(guest: GuestSession) -> None:
    jobs = tuple(Job(key=str(i), group=i % 4, phase=0, work=1) for i in range(1000))
    plan = JobPlan(seed=1, cpus=2, groups=(Group(arrival_us=0, parallel=(50,)),) * 4, jobs=jobs)
    assert guest.run_jobs(plan, setup(1000), deadline_s=60).exit_codes == (0,) * 1000


def test_too_many_jobs_are_refused_before_the_guest_hears_of_them(guest: GuestSession) -> None:
    jobs = tuple(Job(key=str(i), group=0, phase=0, work=1) for i in range(1001))
    plan = JobPlan(seed=1, cpus=2, groups=(Group(arrival_us=0, parallel=(1,)),), jobs=jobs)
    with pytest.raises(InputError, match="at most 1000 jobs"):
        guest.run_jobs(plan, setup(1001), deadline_s=1)


def test_a_mixed_load_by_its_own_clocks(guest: GuestSession) -> None:
    groups = (
        LoadGroup(name="hogs", kind="hog", count=3),
        LoadGroup(name="pinned", kind="hog", count=1, cpus=(1,)),
        LoadGroup(name="sleepers", kind="sleeper", count=2),
        LoadGroup(name="forkers", kind="forker", count=1),
    )
    load = guest.mixed_load(LoadPlan(groups=groups, duration_ms=600), deadline_s=20)
    assert (load.state_before, load.state_after, load.lost_after_ms) == ("disabled", "disabled", 0)
    assert [group.name for group in load.groups] == ["hogs", "pinned", "sleepers", "forkers"]
    assert [len(group.cpu_ms) for group in load.groups] == [3, 1, 2, 1]
    for group in load.groups:
        assert (group.never_ran, group.affinity_violations) == (0, 0)
        assert min(group.cpu_ms) > 0
        assert group.iterations > 0
    assert load.groups[2].wake_p99_us > 0
    assert load.groups[0].wake_p99_us == 0
    assert load.duration_ms >= 600
    assert load.context_switches > 0


def test_a_policy_that_loses_a_task_shows_as_never_ran_and_as_lost(guest: GuestSession, fifo) -> None:
    guest.attach(fifo("LOSES_TASKS"), deadline_s=20)
    groups = (LoadGroup(name="hogs", kind="hog", count=2), LoadGroup(name="lost", kind="hog", count=3, nice=7))
    load = guest.mixed_load(LoadPlan(groups=groups, duration_ms=8000), deadline_s=20)
    assert load.state_after == "disabled"
    assert 0 < load.lost_after_ms < 8000
    assert load.groups[1].never_ran >= 1  # a CPU that idled as the gate opened may have taken one
    assert load.groups[1].max_wait_ms > 1000
    assert guest.detach(deadline_s=20).was_attached is False
    assert "runnable task stall" in guest.kernel_log()


def test_the_oldest_kernel_too(kernels: tuple[KernelImage, ...]) -> None:
    from tests.conftest import FifoPolicies  # noqa: PLC0415

    with Qemu().boot(kernels[0], cpus=2) as guest:
        assert guest.attach(FifoPolicies(kernels[0])(), deadline_s=20).outcome == "attached"
        assert guest.detach(deadline_s=20).was_attached
