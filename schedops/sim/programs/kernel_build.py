"""A generated build like that of a small kernel: recursive make with one set of job slots.

What makes such a build hard to speed up with many CPUs is in it: a serial beginning and end, makes that read before
they start anything, and jobs that are chains of short processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from schedops.model.simulation import Program, SimPlan
from schedops.model.workload_kinds import KernelBuild
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.jobs import FORK_NS, REAP_NS
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.steps import fork, ns_of_ms, post, run, wait
from schedops.workloads.draw import Draws, generator, lognormal

_SHELL_SHARE = 0.1  # of a job's work, before and after its processes
_FIRST_SHARE = 0.7  # of what is left: the compiler proper; the other processes share the rest


@dataclass
class _Build:
    model: KernelBuild
    rng: Draws
    sigma: float
    with_hints: bool
    builder: PlanBuilder = field(default_factory=PlanBuilder)
    free: int = 0
    work_ns: int = 0

    def length(self, mean_ns: float) -> int:
        return max(1, round(mean_ns * lognormal(self.rng, self.sigma)))


def kernel_plan(model: KernelBuild, wanted: Situation, *, slots: int, sigma: float) -> tuple[SimPlan, Extent]:
    """The plan; lengths of jobs are the same in every run but for *sigma*.

    A job's hint is the mean of its own work, as history would know it.
    """
    build = _Build(model, generator("run", wanted.name, wanted.seed), sigma, wanted.with_hints)
    build.free = build.builder.semaphore(slots)
    project = generator("project", wanted.name)
    count = max(model.directories, round(model.compile_jobs * wanted.scale))
    sizes = [count // model.directories + (at < count % model.directories) for at in range(model.directories)]
    chains, makes = [], []
    done = build.builder.semaphore()
    for directory, size in enumerate(sizes):
        means = [ns_of_ms(model.work_ms) * lognormal(project, model.work_sigma) for _ in range(size)]
        index, chain = _directory(build, directory, means, done)
        makes.append(index)
        chains.append(chain)
    serial = _top(build, makes, done)
    return build.builder.plan(seed=wanted.seed), Extent(work_ns=build.work_ns, chain_ns=serial + max(chains))


def _directory(build: _Build, directory: int, means: list[float], done: int) -> tuple[int, int]:
    # One make of a directory; its index and the length of the longest chain through it.
    builder, model = build.builder, build.model
    reaped = builder.semaphore()
    parse, archive = (build.length(ns_of_ms(ms)) if ms else 0 for ms in (model.parse_ms, model.archive_ms))
    build.work_ns += parse + archive
    jobs = [_job(build, f"cc-{directory}-{at}", mean, reaped) for at, mean in enumerate(means)]
    starts: Program = ()
    for index, _ in jobs:
        starts += (*wait(build.free), *run(FORK_NS), *fork(index))
    reaps = (*wait(reaped), *run(REAP_NS)) * len(jobs)
    archives = _child(build, f"ar-{directory}", archive)
    reads = _chain(build, f"sh-{directory}", parse) if model.process_ms else run(parse)
    program = (*reads, *starts, *reaps, *archives, *post(done))
    make = builder.task(f"make-{directory}", program, label="make", arrival_ns=-1)
    return make, parse + archive + max(work for _, work in jobs)


def _job(build: _Build, name: str, mean_ns: float, reaped: int) -> tuple[int, int]:
    # A shell that runs its processes one after the other; it gives its job slot back when the last one is done.
    builder, count = build.builder, build.model.processes
    work = build.length(mean_ns)
    build.work_ns += work
    shell = round(work * _SHELL_SHARE) if count else work
    parts = _shares(work - shell, count)
    exited = builder.semaphore()
    program: Program = run(max(1, shell // 2))
    for at, part in enumerate(parts):
        child = builder.task(f"{name}-{at}", (*run(part), *post(exited)), label="compile", arrival_ns=-1)
        program += (*run(FORK_NS), *fork(child), *wait(exited))
    program += (*run(shell - shell // 2), *post(build.free), *post(reaped))
    hint = round(mean_ns) if build.with_hints else 0
    return builder.task(name, program, label="shell", arrival_ns=-1, hint_ns=hint), work


def _shares(work: int, count: int) -> list[int]:
    if count <= 1:
        return [max(1, work)] * count
    first = round(work * _FIRST_SHARE)
    return [max(1, part) for part in (first, *[(work - first) // (count - 1)] * (count - 1))]


def _chain(build: _Build, name: str, work: int) -> Program:
    # Work that is done by one short process after the other, as configuration is: each asks one question.
    each = ns_of_ms(build.model.process_ms)
    count = max(1, round(work / each)) if each else 1
    names = [f"{name}-{at}" for at in range(count)] if each else [name]
    return tuple(step for one in names for step in _child(build, one, work // count))


def _child(build: _Build, name: str, work: int) -> Program:
    # A process that its parent waits for.
    if not work:
        return ()
    exited = build.builder.semaphore()
    child = build.builder.task(name, (*run(work), *post(exited)), label="serial", arrival_ns=-1)
    return (*run(FORK_NS), *fork(child), *wait(exited), *run(REAP_NS))


def _top(build: _Build, makes: list[int], done: int) -> int:
    # The first make; the length of what it does alone.
    model = build.model
    configure = build.length(ns_of_ms(model.configure_ms)) if model.configure_ms else 0
    links = [build.length(ns_of_ms(model.link_ms)) for _ in range(model.links) if model.link_ms]
    build.work_ns += configure + sum(links)
    program = _chain(build, "configure", configure)
    for make in makes:
        program += (*run(FORK_NS), *fork(make))
    program += (*wait(done), *run(REAP_NS)) * len(makes)
    for at, link in enumerate(links):
        program += _chain(build, f"ld-{at}", link)
    build.builder.task("make", program, label="make")
    return configure + sum(links)
