"""Two CPUs: what the simulator says, beside what real kernels showed in a micro-VM, job by job the same ten rounds.

The batch (Linux 6.18) is held to ``sim_rounds.json``: the same plans, played by real tasks on a kernel that the host
does not disturb. Beside it stands what the same rounds look like on a host that does other things, and what was
published from such a host. The builds (7.3.4) are held to what was published: of a simpler policy of the same kind,
with a tick of 4 ms, QEMU by emulation. ``python benchmarks/sim_measured.py``
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from sim_rounds import RAND_MAX, ROUNDS, Values, batch, batch_plan, batch_values, in_root, measured, rand
from simulating import ROOT, machine_of, scheduler_of, simulator, table

from schedops.model.jobs import Group, Job, JobPlan, RunSetup
from schedops.ports import SimScheduler
from schedops.repository import load_workload
from schedops.sim.compare import CONFIDENCE
from schedops.sim.programs.jobs import jobs_plan, reading_of
from schedops.stats.interval import paired_interval
from schedops.workloads.metrics import metrics_of

WITHIN = 0.05
MACHINE = replace(machine_of(2), tick_ns=4_000_000)
NS_PER_ITERATION = 2.5  # of a job's loop: 30 runs of the builds took 90 s
BUILDS, BUILD_WORK, GAP_S = 4, 20_000_000, 0.3
MAKESPAN, COMPLETION, SLOWEST = "makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor"
BUILD, ALL_DONE = "mean_build_time_per_floor", "all_done_per_floor"
# Published, against EEVDF: on a quiet host and beside two busy processes; builds: two runs.
LONG_FIRST = {MAKESPAN: (-0.204, -0.196), COMPLETION: (-0.091, -0.162), SLOWEST: (0.42,)}
NICE = {MAKESPAN: (-0.208, -0.212), COMPLETION: (0.328, 0.286), SLOWEST: (0.36,)}
AGAINST_NICE = {
    metric: tuple((1 + a) / (1 + b) - 1 for a, b in zip(LONG_FIRST[metric], NICE[metric], strict=True))
    for metric in NICE
}
IN_ORDER = {BUILD: (-0.247, -0.249), ALL_DONE: (0.037, 0.040)}
IN_ORDER_BY_CGROUPS = {BUILD: (-0.213, -0.228), ALL_DONE: (0.028, 0.032)}
EEVDF = SimScheduler("eevdf")

Run = Callable[[int], Values]
Published = Mapping[str, tuple[float, ...]]


def main() -> None:
    batches = (
        ("long first against EEVDF", "long-first", "eevdf", LONG_FIRST),
        ("nice by hints against EEVDF", "nice", "eevdf", NICE),
        ("long first against nice by hints", "long-first", "nice", AGAINST_NICE),
    )
    simulated = {arm: _batches(arm) for arm in ("eevdf", "nice", "long-first")}
    header = ("what", "metric", "simulated", "measured", "points off", "within 5", "on the host's clock", "published")
    table(header, (row for what, arm, base, known in batches for row in _batch_rows(what, simulated, arm, base, known)))
    in_order = scheduler_of("build-order", {"remaining_first": 0})  # without hints it is the same
    new, flat, apart = _builds(in_order, apart=True), _builds(EEVDF), _builds(EEVDF, apart=True)
    builds = (
        ("builds in order against EEVDF", new, flat, IN_ORDER),
        ("builds in order against a cgroup each", new, apart, IN_ORDER_BY_CGROUPS),
    )
    print()
    shorter = ("what", "metric", "simulated", "published", "nearest, points off", "within 5")
    table(shorter, (row for what, run, base, known in builds for row in _build_rows(what, run, base, known)))


def _batch_rows(
    what: str, simulated: dict[str, list[Values]], arm: str, base: str, published: Published
) -> Iterator[list[str]]:
    for metric, known in published.items():
        here = _change(simulated[arm], simulated[base], metric)
        counted, host = (_change(measured(clock, arm), measured(clock, base), metric) for clock in ("counted", "host"))
        off = abs(here[0] - counted[0])
        yield [what, metric, _shown(here), _shown(counted), *_verdict(off), _shown(host), _percents(known)]


def _build_rows(what: str, run: Run, base: Run, published: Published) -> Iterator[list[str]]:
    new, old = ([one(seed) for seed in ROUNDS] for one in (run, base))
    for metric, known in published.items():
        here = _change(new, old, metric)
        off = min(abs(here[0] - one) for one in known)
        yield [what, metric, _shown(here), _percents(known), *_verdict(off)]


def _change(new: Sequence[Values], old: Sequence[Values], metric: str) -> tuple[float, float, float]:
    """Estimate and interval, as shares."""
    ratios = [math.log(a[metric] / b[metric]) for a, b in zip(new, old, strict=True)]
    found = paired_interval(ratios, confidence=CONFIDENCE)
    if found.estimate is None or found.low is None or found.high is None:
        raise SystemExit(f"{len(ratios)} rounds are too few")
    return math.expm1(found.estimate), math.expm1(found.low), math.expm1(found.high)


def _shown(change: tuple[float, float, float]) -> str:
    return "{:+.1f} % [{:+.1f}, {:+.1f}]".format(*(100 * one for one in change))


def _percents(known: Sequence[float]) -> str:
    return ", ".join(f"{100 * one:+.1f}" for one in known) + " %"


def _verdict(off: float) -> tuple[str, str]:
    return f"{100 * off:.1f}", "yes" if off <= WITHIN else "no"


def _batches(arm: str) -> list[Values]:
    scheduler = scheduler_of("long-first", {}) if arm == "long-first" else EEVDF
    found = []
    for number in ROUNDS:
        plan, setup = batch(number, arm)
        result = simulator().run(batch_plan(plan, setup), MACHINE, scheduler, trace=False)
        found.append(batch_values(plan, setup, result))
    return found


def _builds(scheduler: SimScheduler, *, apart: bool = False) -> Run:
    workload = load_workload(ROOT, "ci-builds")

    def run(seed: int) -> Values:
        plan = _drawn_builds(seed)
        zeros = (0,) * len(plan.jobs)
        setup = RunSetup(cgroup_per_group=apart, nice=zeros, hint_ns=zeros, name_seed=seed)
        made = jobs_plan(plan, setup, batch_short=None, ns_per_work=NS_PER_ITERATION)
        result = simulator().run(made if apart else in_root(made), MACHINE, scheduler, trace=False)
        reading = reading_of(plan, setup, result)
        return {one.metric: one.value for one in metrics_of(workload, plan, reading)}

    return run


def _drawn_builds(seed: int) -> JobPlan:
    numbers = rand(seed)
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


if __name__ == "__main__":
    main()
