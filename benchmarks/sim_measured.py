"""Two CPUs: what the simulator says, beside what real kernels showed in a micro-VM, job by job the same ten rounds.

Measured were simpler policies of the same kind (Linux 6.18.15 for the batch, 7.3.4 for the builds, both with a tick of
4 ms, QEMU by emulation). Their programs drew the lengths of the jobs with the C library's ``rand()`` from the number of
the round, so the very jobs can be had again. ``python benchmarks/sim_measured.py``
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from simulating import ROOT, machine_of, scheduler_of, simulator, table

from schedops.model.jobs import Group, Job, JobPlan, RunSetup
from schedops.ports import SimScheduler
from schedops.repository import load_workload
from schedops.sim.compare import CONFIDENCE
from schedops.sim.programs.jobs import jobs_plan, reading_of
from schedops.stats.interval import paired_interval
from schedops.workloads.metrics import metrics_of

WITHIN = 0.05
ROUNDS = range(1, 11)
MACHINE = replace(machine_of(2), tick_ns=4_000_000)
# 30 runs of the builds took 90 s and 30 of the batch 34 s: about 2.5 ns for an iteration of a job's loop.
NS_PER_ITERATION = 2.5
SHORT_JOBS, LONG_FACTOR, BATCH_WORK = 10, 7.4, 40_000_000
BUILDS, BUILD_WORK, GAP_S = 4, 20_000_000, 0.3
MAKESPAN, COMPLETION, SLOWEST = "makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor"
BUILD, ALL_DONE = "mean_build_time_per_floor", "all_done_per_floor"
# Against EEVDF, on a quiet host and beside two busy processes; builds: two runs.
LONG_FIRST = {MAKESPAN: (-0.204, -0.196), COMPLETION: (-0.091, -0.162), SLOWEST: (0.42,)}
NICE = {MAKESPAN: (-0.208, -0.212), COMPLETION: (0.328, 0.286), SLOWEST: (0.36,)}
AGAINST_NICE = {
    metric: tuple((1 + a) / (1 + b) - 1 for a, b in zip(LONG_FIRST[metric], NICE[metric], strict=True))
    for metric in NICE
}
IN_ORDER = {BUILD: (-0.247, -0.249), ALL_DONE: (0.037, 0.040)}
IN_ORDER_BY_CGROUPS = {BUILD: (-0.213, -0.228), ALL_DONE: (0.028, 0.032)}
EEVDF = SimScheduler("eevdf")
RAND_MAX = (1 << 31) - 1

Values = dict[str, float]
Run = Callable[[int], Values]


def main() -> None:
    long_first = scheduler_of("long-first", {})
    in_order = scheduler_of("build-order", {"remaining_first": 0})  # without hints it is the same
    rows = (
        ("long first against EEVDF", _batch(long_first, hints=True), _batch(EEVDF), LONG_FIRST),
        ("nice by hints against EEVDF", _batch(EEVDF, nice=10), _batch(EEVDF), NICE),
        ("long first against nice by hints", _batch(long_first, hints=True), _batch(EEVDF, nice=10), AGAINST_NICE),
        ("builds in order against EEVDF", _builds(in_order, apart=True), _builds(EEVDF), IN_ORDER),
        (
            "builds in order against a cgroup each",
            _builds(in_order, apart=True),
            _builds(EEVDF, apart=True),
            IN_ORDER_BY_CGROUPS,
        ),
    )
    header = ("what", "metric", "simulated", "measured", "nearest, points off", "within 5")
    table(header, (line for what, run, base, measured in rows for line in _lines(what, run, base, measured)))


def _lines(what: str, run: Run, base: Run, measured: Mapping[str, tuple[float, ...]]) -> Iterator[list[str]]:
    pairs = [(base(seed), run(seed)) for seed in ROUNDS]
    for metric, real in measured.items():
        found = paired_interval([math.log(new[metric] / old[metric]) for old, new in pairs], confidence=CONFIDENCE)
        simulated, low, high = (math.expm1(one) for one in (found.estimate, found.low, found.high))
        off = min(abs(simulated - one) for one in real)
        shown = f"{100 * simulated:+.1f} % [{100 * low:+.1f}, {100 * high:+.1f}]"
        shown_real = ", ".join(f"{100 * one:+.1f}" for one in real)
        yield [what, metric, shown, f"{shown_real} %", f"{100 * off:.1f}", "yes" if off <= WITHIN else "no"]


def _batch(scheduler: SimScheduler, *, hints: bool = False, nice: int = 0) -> Run:
    workload = load_workload(ROOT, "uneven-batch")

    def run(seed: int) -> Values:
        numbers = _rand(seed)
        spread = [0.85 + 0.3 * next(numbers) / RAND_MAX for _ in range(SHORT_JOBS + 1)]
        spread[-1] *= LONG_FACTOR
        jobs = tuple(
            Job(key=str(at), group=0, phase=0, work=int(BATCH_WORK * factor)) for at, factor in enumerate(spread)
        )
        plan = JobPlan(seed=seed, cpus=2, groups=(Group(arrival_us=0, parallel=(len(jobs),)),), jobs=jobs)
        setup = RunSetup(
            cgroup_per_group=False,
            nice=(nice,) * SHORT_JOBS + (0,),
            hint_ns=tuple(round(job.work * NS_PER_ITERATION) if hints else 0 for job in jobs),
            name_seed=seed,
        )
        return _values(plan, setup, scheduler, workload, SHORT_JOBS)

    return run


def _builds(scheduler: SimScheduler, *, apart: bool = False) -> Run:
    workload = load_workload(ROOT, "ci-builds")

    def run(seed: int) -> Values:
        plan = _drawn_builds(seed)
        zeros = (0,) * len(plan.jobs)
        setup = RunSetup(cgroup_per_group=apart, nice=zeros, hint_ns=zeros, name_seed=seed)
        return _values(plan, setup, scheduler, workload, None)

    return run


def _values(plan: JobPlan, setup: RunSetup, scheduler: SimScheduler, workload: object, short: int | None) -> Values:
    result = simulator().run(
        jobs_plan(plan, setup, batch_short=short, ns_per_work=NS_PER_ITERATION), MACHINE, scheduler, trace=False
    )
    return {one.metric: one.value for one in metrics_of(workload, plan, reading_of(plan, setup, result))}


def _drawn_builds(seed: int) -> JobPlan:
    numbers = _rand(seed)
    groups, jobs, arrival_s = [], [], 0.0
    for build in range(BUILDS):
        compiles = (6, 10, 16, 24)[next(numbers) % 4]
        groups.append(Group(arrival_us=round(1e6 * arrival_s), parallel=(4, 1, 4)))
        arrival_s -= GAP_S * math.log(_uniform(numbers))
        factors = [(0, _lognormal(numbers, 0.5)) for _ in range(compiles)] + [(1, 2.0)]
        factors += [(2, _lognormal(numbers, 0.3)) for _ in range(7)] + [(2, 6.0)]
        jobs += [
            Job(key=f"{build}/{at}", group=build, phase=phase, work=int(BUILD_WORK * factor))
            for at, (phase, factor) in enumerate(factors)
        ]
    return JobPlan(seed=seed, cpus=2, groups=tuple(groups), jobs=tuple(jobs))


def _lognormal(numbers: Iterator[int], sigma: float) -> float:
    first, second = _uniform(numbers), _uniform(numbers)
    return math.exp(sigma * math.sqrt(-2 * math.log(first)) * math.cos(6.2831853 * second))


def _uniform(numbers: Iterator[int]) -> float:
    return (next(numbers) + 1.0) / (RAND_MAX + 2.0)


def _rand(seed: int) -> Iterator[int]:
    """What glibc's ``rand()`` gives after ``srand(seed)``: its additive feedback generator of 31 words."""
    state = [seed]
    for _ in range(30):
        state.append(16807 * state[-1] % RAND_MAX)
    state += state[:3]
    while True:
        state.append((state[-31] + state[-3]) & 0xFFFFFFFF)
        if len(state) > 344:
            yield state[-1] >> 1


if __name__ == "__main__":
    main()
