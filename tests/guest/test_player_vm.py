"""Plans of the simulator's on real kernels: with real time, cgroups and policies, which the build for a host lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.guest import PlayReading
from schedops.model.machine import flat_machine
from schedops.model.simulation import Op, SimCgroup, SimPlan, SimTask
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.repository import find_policy
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import planned
from schedops.workloads.tables import metric_table
from tests.conftest import FifoPolicies
from tests.fakes.workloads import builds
from tests.guest.plans import (
    MS,
    crowd,
    everything,
    handing_over,
    locking,
    looped,
    messages,
    plan_of,
    step,
    waiting_for_events,
)
from tests.guest.test_load_vm import either, image
from tests.sim.programs.kinds import kernel, pipes, requests

__all__ = ["either", "image"]
pytestmark = pytest.mark.vm

ROOT = Path(__file__).parents[2]
HOG = looped((step(Op.RUN, MS),), 0)
SERVED = (SimTask(name="served", program=0),) * 3  # on two CPUs: none is idle for the one that is lost
LOST = SimTask(name="lost", program=0, nice=7, arrival_ns=100 * MS)


def play(guest: GuestSession, plan: SimPlan, *, deadline_s: float = 60) -> PlayReading:
    return guest.play(plan, name_seed=11, deadline_s=deadline_s)


def library_policy(name: str, image: KernelImage) -> bytes:
    built = Clang().build(find_policy(ROOT, name), (), image)
    assert isinstance(built, BuiltObject), built
    return built.elf


@pytest.mark.parametrize("attached", [False, True])
def test_every_step_under_a_policy_and_without_one(image: KernelImage, either: GuestSession, attached: bool) -> None:
    if attached:
        assert either.attach(FifoPolicies(image)("WITH_HINTS", "TIMEOUT_MS 20000"), deadline_s=20).outcome == "attached"
    plans: tuple[SimPlan, ...] = (
        handing_over(20),
        locking(5, free=True),
        messages(40, capacity=4),
        waiting_for_events(10),
    )
    for plan in plans:
        assert play(either, plan).result.end.verdict == "done"
    seen = play(either, everything())
    assert (seen.result.end.verdict, seen.clean, seen.hints_accepted) == ("done", True, int(attached))
    assert len(seen.result.cpus) == 2
    assert all(task.completion_ns > task.first_run_ns >= task.arrival_ns >= 0 for task in seen.result.tasks)
    assert all(task.switches >= 1 for task in seen.result.tasks)
    assert sum(task.cpu_ns for task in seen.result.tasks) < sum(cpu.busy_ns for cpu in seen.result.cpus)
    assert either.state().state == ("enabled" if attached else "disabled")


def test_two_thousand_tasks(guest: GuestSession) -> None:
    assert play(guest, crowd(2000), deadline_s=200).result.end.verdict == "done"


def test_who_is_real_time_comes_first(guest: GuestSession) -> None:
    work = (step(Op.RUN, 100 * MS),)
    tasks = (
        *(SimTask(name="other", program=0, cpuset=0),) * 2,
        SimTask(name="first", program=0, cpuset=0, realtime=True, arrival_ns=20 * MS),
    )
    first = play(guest, plan_of([work], tasks=tasks, cpusets=((1,),))).result.tasks[2]
    assert first.cpu_ns > 0.7 * (first.completion_ns - first.first_run_ns)
    assert first.migrations == (0, 0, 0)


def test_weights_are_the_cgroups(guest: GuestSession) -> None:
    cgroups = (SimCgroup(name="/", parent=-1), SimCgroup(name="a", weight=900), SimCgroup(name="b", weight=100))
    tasks = tuple(SimTask(name="hog", program=0, cpuset=0, cgroup=at) for at in (1, 2))
    heavy, light = play(
        guest, plan_of([HOG], tasks=tasks, cgroups=cgroups, cpusets=((0,),), end_ns=800 * MS)
    ).result.tasks
    assert heavy.cpu_ns > 3 * light.cpu_ns > 0


def test_a_play_ends_when_the_policy_is_lost(guest: GuestSession, fifo: FifoPolicies) -> None:
    guest.attach(fifo("LOSES_TASKS", "TIMEOUT_MS 1000"), deadline_s=20)
    plan = plan_of([HOG], tasks=(*SERVED, LOST), end_ns=40_000 * MS)
    seen = play(guest, plan)
    assert (seen.result.end.verdict, seen.result.end_ns < 30_000 * MS) == ("ejected", True)
    assert seen.result.tasks[0].cpu_ns > 0
    guest.attach(fifo("LOSES_TASKS", "TIMEOUT_MS 1000"), deadline_s=20)
    went_on = play(guest, replace(plan, end_ns=4_000 * MS, go_on=True)).result
    assert (went_on.end.verdict, 0 < went_on.ejected_ns < went_on.end_ns) == ("ejected", True)
    assert went_on.end_ns >= 4_000 * MS
    assert went_on.tasks[3].cpu_ns > 0


def test_a_task_that_never_runs_holds_nobody(guest: GuestSession, fifo: FifoPolicies) -> None:
    guest.attach(fifo("LOSES_TASKS", "TIMEOUT_MS 20000"), deadline_s=20)
    seen = play(guest, plan_of([HOG], tasks=(*SERVED, LOST), end_ns=2000 * MS), deadline_s=4)
    assert (seen.result.end.verdict, seen.clean) == ("done", False)
    assert min(task.cpu_ns for task in seen.result.tasks[:3]) > 2 * seen.result.tasks[3].cpu_ns
    assert guest.detach(deadline_s=20).was_attached
    assert play(guest, handing_over(3)).clean


WORKLOADS = {
    "pipes": (pipes(messages=20), "", False),
    "requests": (requests(), "interactive", False),
    "kernel": (kernel(), "build-order", True),
    "builds": (builds(), "", False),
}


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_has_the_metrics_of_the_simulator(
    newest_kernel: KernelImage, guest: GuestSession, name: str
) -> None:
    workload, policy, hints = WORKLOADS[name]
    run = planned(workload, machine=flat_machine(2), seed=3, takes_hints=hints)
    if policy:
        assert guest.attach(library_policy(policy, newest_kernel), deadline_s=60).outcome == "attached"
    seen = play(guest, run.plan)
    assert seen.result.end.verdict == "done"
    assert (seen.hints_accepted > 0) == hints
    assert seen.cpu_ns > 0.5 * run.extent.work_ns
    assert [found.metric for found in metrics_of_result(run, seen.result)] == list(metric_table(workload))
