"""What history would know about a workload's jobs: one earlier run, with the lengths it would have drawn."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.jobs import Hint, Hints
from schedops.model.workload import Workload
from schedops.sim.programs.jobs import NS_PER_ITERATION
from schedops.workloads.expand import expand

_NEVER = "1970-01-01"  # no measured run: these hints are never written to policies/hints/


def model_hints(
    workload: Workload,
    *,
    seed: int,
    cpus: int,
    scale: float = 1.0,
    error: float | None = None,
    ns_per_work: float = NS_PER_ITERATION,
) -> Hints:
    """The CPU time each job took in the run of *seed*, which must not be the seed of the runs that are to be predicted.

    :param error: standard deviation of ln(hint / mean); None: that of the workload from run to run, which is what one
        profiled run gives.
    :raises InputError: ``simulator-only``: a workload without jobs.
    """
    plan = expand(_with_spread(workload, error), seed=seed, cpus=cpus, scale=scale)
    # A project that builds share is in the plan more than once; its first build is the run that was measured.
    us: dict[str, int] = {}
    for job in plan.jobs:
        us.setdefault(job.key, max(1, round(job.work * ns_per_work / 1000)))
    hints = tuple(Hint(key=key, cpu_us=us[key], n=1, spread=None, measured=_NEVER) for key in sorted(us))
    return Hints(workload=workload.name, hints=hints)


def _with_spread(workload: Workload, error: float | None) -> Workload:
    if error is None:
        return workload
    if workload.builds is not None:
        return replace(workload, builds=replace(workload.builds, length_sigma=error))
    if workload.batch is not None:
        return replace(workload, batch=replace(workload.batch, length_sigma=error))
    return workload
