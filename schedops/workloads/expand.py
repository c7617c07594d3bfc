"""Workload and seed to the concrete jobs of one run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from schedops.errors import InputError
from schedops.model.jobs import Group, Job, JobPlan
from schedops.model.workload import JOB_KINDS, BatchModel, BuildsModel, Workload
from schedops.workloads.draw import exponential, generator, lognormal, shuffled

COMPILE, LINK, TEST = range(3)


@dataclass(frozen=True, slots=True)
class _MeanJob:
    """A job as it is in every run: its key and its mean work."""

    key: str
    phase: int
    work: float


def expand(workload: Workload, *, seed: int, cpus: int, scale: float = 1.0) -> JobPlan:
    """The jobs of one run; equal arguments give equal plans on every machine.

    A job that comes back in the next run has the same key and mean there, its length is drawn anew from *seed*.

    :param scale: factor on the number of builds or short jobs; at least one stays.
    :raises ValueError: *cpus* below 1 or *scale* not above 0.
    :raises InputError: ``simulator-only``, as :func:`require_jobs`.
    """
    require_jobs(workload)
    if cpus < 1 or not scale > 0:
        raise ValueError(f"cpus must be at least 1 and scale above 0, not {cpus} and {scale:g}")
    rng = generator("run", workload.name, seed)
    if workload.builds is not None:
        groups, jobs = _builds(workload.name, workload.builds, rng, scale)
    else:
        assert workload.batch is not None  # Workload allows exactly one
        groups, jobs = _batch(workload.name, workload.batch, rng, workload.batch.short_jobs_per_cpu * cpus * scale)
    return JobPlan(seed=seed, cpus=cpus, groups=groups, jobs=jobs)


def require_jobs(workload: Workload) -> None:
    """Only jobs can be launched in the micro-VM; the other kinds are programs for the simulator.

    :raises InputError: ``simulator-only``: it is of another kind.
    """
    if workload.model_kind not in JOB_KINDS:
        raise InputError(
            "simulator-only",
            f"{workload.name} is a workload of the kind {workload.model_kind}, which only the simulator runs",
            where=f"policies/workloads/{workload.name}.yaml::$.{workload.model_kind}",
            hint=f"schedops simulate POLICY --workload {workload.name}; the micro-VM runs {' and '.join(JOB_KINDS)}",
        )


def short_count(plan: JobPlan, model: BatchModel) -> int:
    """How many of a batch plan's jobs are short: all but the last *long_jobs*."""
    return len(plan.jobs) - model.long_jobs


def _builds(
    name: str, model: BuildsModel, rng: random.Random, scale: float
) -> tuple[tuple[Group, ...], tuple[Job, ...]]:
    count = max(1, round(model.builds * scale))
    parallel = (model.parallel_jobs, 1, model.parallel_jobs)
    groups, jobs, arrival_ms = [], [], 0.0
    for group, build in enumerate(shuffled(rng, count)):
        groups.append(Group(arrival_us=round(arrival_ms * 1000), parallel=parallel))
        arrival_ms += exponential(rng, model.arrival_gap_ms)
        project = _project(name, model, build % len(model.compile_jobs))
        jobs += [_drawn(mean, group, rng, model.length_sigma) for mean in project]
    return tuple(groups), tuple(jobs)


def _project(name: str, model: BuildsModel, project: int) -> list[_MeanJob]:
    # Drawn from names alone, so that a project is the same in every run and history can know its jobs.
    rng = generator("project", name, project)
    compiles = [lognormal(rng, model.compile_sigma) for _ in range(model.compile_jobs[project])]
    tests = [lognormal(rng, model.test_sigma) for _ in range(model.test_jobs - 1)]
    # Where the long test stands in the list is the project's own business, as in a Makefile.
    tests.insert(int(rng.random() * model.test_jobs), model.long_test_factor)
    phases = ((COMPILE, compiles), (LINK, [model.link_factor]), (TEST, tests))
    return [
        _MeanJob(_key(name, project, phase, index), phase, length * model.job_work)
        for phase, lengths in phases
        for index, length in enumerate(lengths)
    ]


def _batch(
    name: str, model: BatchModel, rng: random.Random, short_jobs: float
) -> tuple[tuple[Group, ...], tuple[Job, ...]]:
    short = max(1, round(short_jobs))
    lengths = [1.0] * short + [model.long_factor] * model.long_jobs
    # Short and long ones are numbered apart: with more CPUs the long job stays the same job.
    marks = [("short", index) for index in range(short)] + [("long", index) for index in range(model.long_jobs)]
    means = [
        _MeanJob(_key(name, *mark), 0, length * model.job_work) for mark, length in zip(marks, lengths, strict=True)
    ]
    jobs = tuple(_drawn(mean, 0, rng, model.length_sigma) for mean in means)
    return (Group(arrival_us=0, parallel=(len(jobs),)),), jobs


def _drawn(mean: _MeanJob, group: int, rng: random.Random, sigma: float) -> Job:
    return Job(key=mean.key, group=group, phase=mean.phase, work=max(1, round(mean.work * lognormal(rng, sigma))))


def _key(name: str, *identity: object) -> str:
    """Opaque: whoever sees it learns which job it is only from history."""
    return hashlib.sha256("/".join(str(part) for part in (name, *identity)).encode()).hexdigest()[:16]
