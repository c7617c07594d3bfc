"""A workload on a machine to the plan of one run.

``planned(...)`` keeps what :func:`schedops.sim.programs.measure.metrics_of_result` needs to read the result;
``plan_of(...)`` is its plan alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from schedops.model.jobs import Hints, JobPlan, RunSetup
from schedops.model.machine import Machine
from schedops.model.simulation import SimPlan
from schedops.model.workload import JOB_KINDS, Workload
from schedops.sim.programs.jobs import NS_PER_ITERATION, jobs_plan
from schedops.sim.programs.kinds import kind_plan
from schedops.sim.programs.situation import Extent, Situation
from schedops.workloads.arms import setup_of
from schedops.workloads.expand import expand, short_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run that can begin.

    :param arm: eevdf | informed | candidate; how jobs are launched, not who schedules them.
    :param jobs: of builds and batches, with how they are launched; else None.
    :param extent: of other kinds: how much there is to do.
    """

    workload: Workload
    machine: Machine
    seed: int
    arm: str
    plan: SimPlan
    jobs: tuple[JobPlan, RunSetup] | None = None
    extent: Extent = field(default_factory=Extent)


def planned(
    workload: Workload,
    *,
    machine: Machine,
    seed: int,
    arm: str = "candidate",
    hints: Hints | None = None,
    takes_hints: bool = False,
    takes_group_hints: bool = False,
    scale: float = 1.0,
    name_seed: int | None = None,
    ns_per_work: float = NS_PER_ITERATION,
) -> Planned:
    """The run of *seed*; equal arguments give equal plans everywhere. Jobs are those that the micro-VM would run.

    :param arm: ``eevdf``: the default as it comes; ``informed``: what an expert would set with the same *hints*;
        ``candidate``: as a policy gets its jobs. Kinds without jobs are the same in every arm, but for hints.
    :param hints: what history knows, such as :func:`schedops.sim.programs.hints.model_hints`; None: nothing.
    :param takes_hints: the policy declares that it wants them.
    :param takes_group_hints: as well what a build's first process says for all of the build.
    :param scale: factor on the number of builds, short jobs, messengers, groups, compile jobs or tasks.
    :param name_seed: of the random names; None: *seed*.
    :param ns_per_work: time for one iteration of a job's loop on the fastest CPU.
    :raises InputError: ``plan-too-large``, or what is wrong with a file of rt-app or a tasks model.
    :raises ValueError: an arm of another name, or *scale* not above 0.
    """
    if workload.model_kind not in JOB_KINDS:
        if not scale > 0:
            raise ValueError(f"scale must be above 0, not {scale:g}")
        asked = Situation(name=workload.name, machine=machine, seed=seed, scale=scale, with_hints=takes_hints)
        plan, extent = kind_plan(workload, asked)
        return Planned(workload=workload, machine=machine, seed=seed, arm=arm, plan=plan, extent=extent)
    jobs = expand(workload, seed=seed, cpus=len(machine.cpus), scale=scale)
    names = seed if name_seed is None else name_seed
    setup = setup_of(
        arm,
        jobs,
        hints=hints,
        policy_takes_hints=takes_hints,
        policy_takes_group_hints=takes_group_hints and workload.builds is not None,
        name_seed=names,
    )
    short = short_count(jobs, workload.batch) if workload.batch is not None else None
    plan = jobs_plan(jobs, setup, batch_short=short, ns_per_work=ns_per_work)
    return Planned(workload=workload, machine=machine, seed=seed, arm=arm, plan=plan, jobs=(jobs, setup))


def plan_of(
    workload: Workload,
    *,
    machine: Machine,
    seed: int,
    arm: str = "candidate",
    hints: Hints | None = None,
    takes_hints: bool = False,
    scale: float = 1.0,
) -> SimPlan:
    """The plan of :func:`planned` alone."""
    return planned(
        workload, machine=machine, seed=seed, arm=arm, hints=hints, takes_hints=takes_hints, scale=scale
    ).plan
