"""Run the workload once under the default scheduler, look, and say what kind of workload it is."""

from __future__ import annotations

from schedops.analyze.classes import classify
from schedops.analyze.figures import figures_of
from schedops.errors import GuestLost, Unavailable
from schedops.model.event import Event
from schedops.model.jobs import Hints, JobPlan, RunReading, RunSetup
from schedops.model.profile import Profile
from schedops.model.workload import Workload
from schedops.ports import Clock, Guest, KernelImage, Machines, Progress
from schedops.stats.summary import quantiles
from schedops.workloads.expand import expand
from schedops.workloads.hints import hints_from

RUN_S = 180.0  # nobody knows yet how fast this machine is; times the scale of the workload
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)


def run(
    workload: Workload,
    image: KernelImage,
    *,
    cpus: int,
    seed: int,
    scale: float,
    machines: Machines,
    clock: Clock,
    progress: Progress,
) -> tuple[Profile, Hints]:
    """Profile a workload, each of its groups in a cgroup of its own, and learn its jobs' CPU times.

    A lost guest is tried once more. Notes are emitted as stage ``analyze``; started and finished are the caller's.

    :raises Unavailable: ``jobs-failed`` when a job does not exit with 0; ``not-default`` when a policy was in charge;
        ``bad-reading`` when the guest reported the impossible.
    """
    plan = expand(workload, seed=seed, cpus=cpus, scale=scale)
    deadline_s = RUN_S * max(1.0, scale)
    try:
        reading = _measure(plan, image, machines, deadline_s)
    except GuestLost as gone:
        progress.emit(Event(kind="note", stage="analyze", text=f"{gone.message}; the run is tried once more"))
        reading = _measure(plan, image, machines, deadline_s)
    figures = figures_of(plan, reading)
    profile = Profile(
        workload=workload.name,
        kernel=image.kernel.name,
        cpus=cpus,
        seed=seed,
        accelerator=machines.accelerator().name,
        figures=figures,
        classes=classify(figures),
        cpu_ms_quantiles=quantiles([us / 1000 for us in reading.cpu_us], QUANTILES),
    )
    return profile, hints_from(workload.name, [(plan, reading)], clock.now_utc()[:10])


def _measure(plan: JobPlan, image: KernelImage, machines: Machines, deadline_s: float) -> RunReading:
    zeros = (0,) * len(plan.jobs)
    setup = RunSetup(cgroup_per_group=True, nice=zeros, hint_ns=zeros, name_seed=plan.seed)
    with machines.boot(image, cpus=plan.cpus) as guest:
        require_default(guest)
        reading = guest.run_jobs(plan, setup, deadline_s=deadline_s)
        require_default(guest)
    failed = [code for code in reading.exit_codes if code != 0]
    if failed:
        raise Unavailable(
            "jobs-failed",
            f"{len(failed)} of {len(plan.jobs)} jobs failed under the default scheduler, the first with {failed[0]}",
            where=f"analyze on {image.kernel.name}",
        )
    return reading


def require_default(guest: Guest) -> None:
    """:raises Unavailable: ``not-default``: a policy is in charge."""
    state = guest.state()
    if state.state != "disabled":
        raise Unavailable("not-default", f"sched_ext is {state.state} ({state.ops}), the default scheduler was wanted")
