"""Build graphs under ``make -j``: given job by job, or generated like that of a small kernel."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.errors import InputError
from schedops.model.simulation import SimPlan
from schedops.model.workload_kinds import GraphJob, GraphModel
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.jobs import FORK_NS, REAP_NS
from schedops.sim.programs.kernel_build import kernel_plan
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.steps import fork, ns_of_ms, post, run, wait
from schedops.workloads.draw import generator, lognormal


def graph_plan(model: GraphModel, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan; *scale* multiplies the compile jobs of a generated graph and says nothing to a given one.

    :raises InputError: ``bad-workload``: a job waits for one that is not before it, or a name occurs twice.
    """
    slots = model.parallel_jobs or wanted.cpus
    if model.kernel is not None:
        return kernel_plan(model.kernel, wanted, slots=slots, sigma=model.length_sigma)
    return _given(model, wanted, slots)


def _given(model: GraphModel, wanted: Situation, slots: int) -> tuple[SimPlan, Extent]:
    # make forks what has nothing to wait for. Any other job is forked by the last of the jobs that it names, waits for
    # the rest of them, then for a job slot: which job is done last is known only when it is.
    places = _places(wanted.name, model.jobs)
    builder, rng = PlanBuilder(), generator("run", wanted.name, wanted.seed)
    free, all_done = builder.semaphore(slots), builder.semaphore()
    ready = [builder.semaphore() for _ in model.jobs]
    after = [sorted({places[one] for one in job.after}) for job in model.jobs]
    next_jobs: list[list[int]] = [[] for _ in model.jobs]
    for at, before in enumerate(after):
        for one in before:
            next_jobs[one].append(at)
    roots = [at for at, before in enumerate(after) if not before]
    drives = [step for at in roots for step in (*run(FORK_NS), *fork(at + 1))]
    builder.task("make", (*drives, *((*wait(all_done), *run(REAP_NS)) * len(model.jobs))), label="make")
    works = [round(ns_of_ms(job.work_ms) * lognormal(rng, model.length_sigma)) for job in model.jobs]
    for at, job in enumerate(model.jobs):
        begins = [one for one in next_jobs[at] if after[one][-1] == at]
        tells = [step for one in next_jobs[at] if one not in begins for step in post(ready[one])]
        forks = [step for one in begins for step in (*run(FORK_NS), *fork(one + 1))]
        waits = wait(ready[at], max(0, len(after[at]) - 1))
        builder.task(
            job.name,
            (*waits, *wait(free), *run(max(1, works[at])), *post(free), *tells, *forks, *post(all_done)),
            label="job",
            arrival_ns=-1,
            hint_ns=ns_of_ms(job.work_ms) if wanted.with_hints else 0,
        )
    return builder.plan(seed=wanted.seed), Extent(work_ns=sum(works), chain_ns=_longest(works, after))


def _places(name: str, jobs: Sequence[GraphJob]) -> dict[str, int]:
    places: dict[str, int] = {}
    for at, job in enumerate(jobs):
        unknown = [one for one in job.after if one not in places]
        if unknown or job.name in places:
            what = f"waits for {unknown[0]!r}, which is no job before it" if unknown else "is there twice"
            where = f"policies/workloads/{name}.yaml::$.graph.jobs[{at}]"
            raise InputError("bad-workload", f"job {job.name!r} {what}", where=where)
        places[job.name] = at
    return places


def _longest(works: Sequence[int], after: Sequence[Sequence[int]]) -> int:
    ends: list[int] = []
    for work, before in zip(works, after, strict=True):
        ends.append(work + max((ends[one] for one in before), default=0))
    return max(ends)
