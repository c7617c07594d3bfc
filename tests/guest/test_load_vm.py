"""Every kind of load on real kernels, with a policy, without one, and with one that loses tasks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.model.guest import HotplugStep, LoadGroup, LoadPlan, LoadReading
from schedops.ports import KernelImage
from tests.conftest import FifoPolicies

pytestmark = pytest.mark.vm

KINDS = ("hog", "sleeper", "forker", "execer", "yielder", "pipe", "mover", "renicer", "stopped", "traced", "latecomer")
OFF = HotplugStep(at_ms=200, cpu=1, online=False)
ON = HotplugStep(at_ms=500, cpu=1, online=True)


@pytest.fixture(params=[0, -1], ids=["oldest", "newest"])
def image(request: pytest.FixtureRequest, kernels: tuple[KernelImage, ...]) -> KernelImage:
    return kernels[request.param]


@pytest.fixture
def either(image: KernelImage) -> Iterator[GuestSession]:
    """A guest on the oldest kernel, then one on the newest."""
    with Qemu().boot(image, cpus=2) as session:
        yield session


def of(kind: str, **other) -> LoadGroup:
    return LoadGroup(**{"name": kind, "kind": kind, "count": 2, **other})


def hogs(count: int = 2, **other) -> LoadGroup:
    return of("hog", count=count, **other)


def load(guest: GuestSession, *groups: LoadGroup, duration_ms: int = 600, **other) -> LoadReading:
    return guest.mixed_load(LoadPlan(groups=groups, duration_ms=duration_ms, **other), deadline_s=60)


def test_every_kind_works_under_a_policy(image: KernelImage, either: GuestSession) -> None:
    assert either.attach(FifoPolicies(image)("TIMEOUT_MS 20000"), deadline_s=20).outcome == "attached"
    groups = (
        *(of(kind, work_us=1000, sleep_us=3000) for kind in KINDS),
        LoadGroup(name="moved", kind="hog", count=2, start_on=(0,), cpus=(1,)),
        LoadGroup(name="weighed", kind="sleeper", count=1, weight=300),
        LoadGroup(name="outside", kind="hog", count=1, outside=True, hint_us=1000),
    )
    for _ in range(3):  # a fork takes long on a busy host
        seen = load(either, *groups, duration_ms=2500, program_stats=True)
        if all(group.iterations for group in seen.groups):
            break
    assert (seen.state_before, seen.state_after, seen.lost_after_ms) == ("enabled", "enabled", 0)
    assert [group.name for group in seen.groups] == [group.name for group in groups]
    for group in seen.groups:
        assert (group.name, group.never_ran, group.affinity_violations) == (group.name, 0, 0)
        assert group.iterations > 0
        assert min(group.cpu_ms) > 0
    programs = {program.name: program for program in seen.programs}
    assert list(programs) == sorted(programs) == ["test_dispatch", "test_enqueue", "test_init"]
    assert programs["test_enqueue"].runs > 100
    assert programs["test_enqueue"].ns_per_run > 10
    assert (programs["test_init"].runs, programs["test_init"].ns_per_run) == (0, 0)
    assert load(either, hogs(), duration_ms=100).programs == ()


def test_a_lost_task_of_any_kind_shows_and_the_reply_does_not_wait_for_it(guest: GuestSession, fifo) -> None:
    guest.attach(fifo("LOSES_TASKS", "TIMEOUT_MS 8000"), deadline_s=20)
    kinds = tuple(of(kind, nice=7, sleep_us=2000) for kind in KINDS)
    seen = load(guest, hogs(4, name="served"), *kinds, duration_ms=2500)
    now = guest.state()
    for group in seen.groups[1:]:
        assert (group.name, group.max_wait_ms > 1000) == (group.name, True)
    assert seen.groups[0].never_ran == 0
    # Those that are lost are still there, killed and not gone, and the kernel has not noticed yet.
    assert (seen.state_after, now.state, now.enable_seq) == ("enabled", "enabled", 1)
    assert guest.detach(deadline_s=20).was_attached


def test_time_stopped_or_traced_on_purpose_is_no_waiting(guest: GuestSession) -> None:
    seen = load(
        guest, *(of(kind, work_us=1000, sleep_us=1_000_000) for kind in ("stopped", "traced")), duration_ms=2500
    )
    for group in seen.groups:
        assert group.max_wait_ms < 1000 + seen.harness_jitter_ms
        assert sum(group.cpu_ms) < seen.duration_ms
        assert group.iterations > 0


def test_nothing_of_a_load_is_left_for_the_next_one(guest: GuestSession) -> None:
    crowd = (hogs(200), of("sleeper", count=100), of("forker"), of("stopped", count=8), of("traced", count=8))
    first = load(guest, *crowd, of("hog", weight=50, name="weighed"))
    assert [len(group.cpu_ms) for group in first.groups] == [200, 100, 2, 8, 8, 2]
    second = load(guest, hogs(2))
    assert sum(second.groups[0].cpu_ms) > second.duration_ms  # two CPUs, and nobody else wants them


def test_a_weight_is_a_cgroups(guest: GuestSession) -> None:
    heavy, light = (hogs(1, name=str(weight), cpus=(0,), weight=weight) for weight in (900, 100))
    seen = load(guest, heavy, light, duration_ms=1500)
    assert seen.groups[0].cpu_ms[0] > 3 * seen.groups[1].cpu_ms[0]


def test_a_load_goes_on_until_a_program_ran_often_enough(guest: GuestSession, fifo) -> None:
    guest.attach(fifo("TIMEOUT_MS 20000"), deadline_s=20)
    yielders = of("yielder", count=3, cpus=(0,), work_us=0)
    seen = load(
        guest,
        yielders,
        duration_ms=100,
        until_runs=20_000,
        of_program="test_enqueue",
        max_ms=30_000,
        program_stats=True,
    )
    assert next(one.runs for one in seen.programs if one.name == "test_enqueue") >= 20_000
    assert 100 < seen.duration_ms < 30_000
    nobody = load(guest, yielders, duration_ms=100, until_runs=1, of_program="nobody", max_ms=400)
    assert nobody.duration_ms >= 400


def test_a_cpu_goes_and_comes_back(either: GuestSession) -> None:
    bound = hogs(1, name="bound", cpus=(1,))
    seen = load(either, hogs(3), bound, of("mover", work_us=2000), duration_ms=900, hotplug=(OFF, ON))
    assert seen.hotplug_failed == 0
    assert [group.affinity_violations for group in seen.groups] == [0, 0, 0]
    log = either.kernel_log()
    assert log.index("CPU 1 is now offline") < log.index("Booting Node 0 Processor 1")
    assert load(either, bound).groups[0].affinity_violations == 0


def test_a_cpu_that_was_taken_away_is_brought_back_at_the_end(guest: GuestSession) -> None:
    assert load(guest, hogs(), hotplug=(OFF,)).hotplug_failed == 0
    load(guest, hogs(), duration_ms=50)
    assert "Booting Node 0 Processor 1" in guest.kernel_log()


def test_a_cpu_that_cannot_go_is_counted(guest: GuestSession) -> None:
    nowhere = HotplugStep(at_ms=10, cpu=40, online=False)
    assert load(guest, hogs(), hotplug=(nowhere,)).hotplug_failed == 1


def test_a_load_may_outlive_the_policy(guest: GuestSession, fifo) -> None:
    """A policy without hotplug callbacks is put out when a CPU goes."""
    guest.attach(fifo(), deadline_s=20)
    seen = load(guest, hogs(3), duration_ms=2000, hotplug=(OFF, ON), stay_through_loss=True)
    assert (seen.state_before, seen.state_after, seen.hotplug_failed) == ("enabled", "disabled", 0)
    assert 0 < seen.lost_after_ms < 2000 <= seen.duration_ms
    assert seen.groups[0].never_ran == 0
