"""A policy against a baseline on simulated machines: seeds to plans, runs, and one comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from schedops.bench.design import derived_seed
from schedops.errors import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError, Undecided
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.machine import Machine
from schedops.model.policy import Capabilities
from schedops.model.simulated import AfterEjection, SimComparison
from schedops.model.simulation import SimEnd, SimPlan, SimResult, SimVerdict
from schedops.model.workload import JOB_KINDS, Workload
from schedops.ports import Crew, Progress, SimScheduler, Simulator
from schedops.schema.canonical import digest_of
from schedops.sim.compare import CONFIDENCE, Shown, classes_of, shown, table_of
from schedops.sim.figures import figures
from schedops.sim.programs.hints import model_hints
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import Planned, planned
from schedops.workloads.tables import metric_table

STAGE = "simulate"
_MS_NS = 1e6
_DONE = SimEnd(verdict=SimVerdict.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What runs, on what.

    :param scale: factor on the number of builds, jobs, tasks.
    :param cold: nobody knows anything about the jobs; else policies that want hints get those of one earlier run.
    :param hint_error: standard deviation of ln(hint / mean); None: the workload's own spread from run to run.
    """

    workload: Workload
    machine: Machine
    scale: float = 1.0
    cold: bool = False
    hint_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest(Load):
    """What is asked.

    :param baseline_arm: eevdf | informed | candidate: how the baseline's jobs are launched.
    """

    policy: SimScheduler
    baseline: SimScheduler
    baseline_arm: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run with its plan."""

    planned: Planned
    result: SimResult

    @property
    def plan(self) -> SimPlan:
        """What ran."""
        return self.planned.plan


@dataclass(frozen=True, slots=True)
class Simulated:
    """:param first: baseline and policy on the first seed, with traces when they were asked for."""

    comparison: SimComparison
    first: tuple[Run, Run]


@dataclass(frozen=True, slots=True)
class _Seed:
    seed: int
    ends: tuple[SimEnd, SimEnd]
    after: AfterEjection | None
    events: int
    pair: tuple[Shown, Shown] | None  # None: one of them is not done


def simulate(
    contest: Contest, *, simulator: Simulator, crew: Crew, progress: Progress, trace: bool = False
) -> Simulated:
    """Run both on every seed. A policy that does not get through the first one is not run on the others.

    :param trace: keep the events of the first seed's runs.
    :raises InputError: ``bad-workload``: the plan itself cannot be carried out.
    :raises Undecided: ``baseline-not-done``: there is nothing to compare with.
    """
    what = f"{contest.policy.name} on {contest.workload.name}, {contest.machine.name}, {len(contest.seeds)} seeds"
    progress.emit(Event(kind="started", stage=STAGE, text=what))
    first = _both(contest, contest.seeds[0], simulator, trace=trace)
    seeds = [_kept(contest.seeds[0], first)]
    if seeds[0].pair is not None:
        seeds += _others(contest, simulator, crew, progress)
    comparison = _comparison(contest, seeds)
    progress.emit(Event(kind="finished", stage=STAGE, text=f"{2 * len(seeds)} runs, {comparison.events} events"))
    _check_baseline(comparison)
    return Simulated(comparison, first)


def exit_code_of(end: SimEnd) -> int:
    """Of the policy's runs: 0 done, 1 it was ejected, faulted or got stuck, 3 the simulator cannot say."""
    if end.verdict == SimVerdict.DONE:
        return EXIT_DONE
    return EXIT_INCONCLUSIVE if end.verdict == SimVerdict.UNSUPPORTED else EXIT_FAIL


def _others(contest: Contest, simulator: Simulator, crew: Crew, progress: Progress) -> list[_Seed]:
    wanted = contest.seeds[1:]
    done = count(2)  # a counter's next() is one step for threads, too

    def run(seed: int) -> _Seed:
        kept = _kept(seed, _both(contest, seed, simulator, trace=False))
        share = next(done) / len(contest.seeds)
        progress.emit(Event(kind="progress", stage=STAGE, text=f"{contest.policy.name}, seed {seed}", fraction=share))
        return kept

    # Threads: the engine runs outside of Python's lock.
    return crew.each(run, wanted, at_once=min(crew.cores(), max(1, len(wanted))))


def _both(contest: Contest, seed: int, simulator: Simulator, *, trace: bool) -> tuple[Run, Run]:
    sides = ((contest.baseline, contest.baseline_arm), (contest.policy, arm_of(contest.policy)))
    base, new = (one_run(contest, *side, seed, simulator=simulator, trace=trace, go_on=True) for side in sides)
    return base, new


def one_run(
    load: Load,
    scheduler: SimScheduler,
    arm: str,
    seed: int,
    *,
    simulator: Simulator,
    trace: bool = False,
    go_on: bool = False,
) -> Run:
    """One scheduler, one seed.

    :param go_on: EEVDF has the rest of a run whose policy is ejected; else it ends then.
    :raises InputError: the plan cannot be made.
    """
    plan = _planned(load, scheduler, arm, seed)
    plan = replace(plan, plan=replace(plan.plan, go_on=go_on))
    return Run(plan, simulator.run(plan.plan, load.machine, scheduler, trace=trace))


def arm_of(policy: SimScheduler) -> str:
    """How the jobs of one that is no baseline are launched."""
    return "candidate" if policy.source is not None else "eevdf"


def _planned(load: Load, scheduler: SimScheduler, arm: str, seed: int) -> Planned:
    declared = scheduler.source.policy.capabilities if scheduler.source is not None else Capabilities()
    return planned(
        load.workload,
        machine=load.machine,
        seed=seed,
        arm=arm,
        hints=_hints(load, seed),
        takes_hints=declared.hints and not load.cold,
        takes_group_hints=declared.group_hints and not load.cold,
        scale=load.scale,
    )


def _hints(load: Load, seed: int) -> Hints | None:
    if load.cold or load.workload.model_kind not in JOB_KINDS:
        return None
    earlier = derived_seed(seed, "history")  # hints must predict runs that they were not learnt from
    cpus = len(load.machine.cpus)
    return model_hints(load.workload, seed=earlier, cpus=cpus, scale=load.scale, error=load.hint_error)


def _kept(seed: int, runs: tuple[Run, Run]) -> _Seed:
    base, new = runs
    ends = (base.result.end, new.result.end)
    events = base.result.events + new.result.events
    if any(end.verdict != SimVerdict.DONE for end in ends):
        return _Seed(seed, ends, _after(base, new), events, None)
    return _Seed(seed, ends, None, events, (_shown(base), _shown(new)))


def _after(base: Run, new: Run) -> AfterEjection | None:
    if new.result.ejected_ns < 0:
        return None
    makespans = [figures(run.plan, run.result).get("makespan_ms") for run in (base, new)]
    ejected_ms = new.result.ejected_ns / _MS_NS
    return AfterEjection(ejected_ms=ejected_ms, makespan_ms=makespans[1], baseline_ms=makespans[0])


def _shown(run: Run) -> Shown:
    metrics = {one.metric: one.value for one in metrics_of_result(run.planned, run.result)}
    return shown(run.plan, run.result, metrics)


def _comparison(contest: Contest, seeds: Sequence[_Seed]) -> SimComparison:
    pairs = [one.pair for one in seeds if one.pair is not None]
    units = {name: unit for name, (unit, _) in metric_table(contest.workload).items()}
    failed = next((one for one in seeds if one.ends[1].verdict != SimVerdict.DONE), None)
    baseline = next((one.ends[0] for one in seeds if one.ends[0].verdict != SimVerdict.DONE), _DONE)
    worst = failed.ends[1] if failed is not None else seeds[0].ends[1]
    return SimComparison(
        workload=contest.workload.name,
        policy=contest.policy.name,
        baseline=_baseline_name(contest),
        params=contest.policy.params,
        machine=contest.machine.name,
        machine_sha256=digest_of(contest.machine),
        cpus=len(contest.machine.cpus),
        seeds=tuple(one.seed for one in seeds),
        confidence=CONFIDENCE,
        figures=table_of(contest.workload, pairs, units),
        classes=classes_of(pairs),
        baseline_end=baseline,
        policy_end=worst,
        failed_seed=failed.seed if failed is not None else -1,
        after_ejection=failed.after if failed is not None else None,
        events=sum(one.events for one in seeds),
    )


def _baseline_name(contest: Contest) -> str:
    if contest.baseline_arm == "informed":
        return "informed"
    name, built_in = contest.baseline.name, contest.baseline.source is None
    # The library has a fifo, too.
    return f"built-in {name}" if built_in and name == contest.policy.name and contest.policy.source else name


def _check_baseline(comparison: SimComparison) -> None:
    for end in (comparison.baseline_end, comparison.policy_end):
        if end.verdict == SimVerdict.PLAN_ERROR:
            raise InputError("bad-workload", f"{comparison.workload} cannot be run: {end.message}")
    end = comparison.baseline_end
    if end.verdict == SimVerdict.STUCK and comparison.policy_end.verdict != SimVerdict.DONE:
        raise InputError("bad-workload", f"{comparison.workload} comes to a stop by itself: {end.message}")
    if end.verdict != SimVerdict.DONE:
        raise Undecided(
            "baseline-not-done",
            f"the baseline {comparison.baseline} did not get through {comparison.workload}: {end.message}",
            where=end.place,
            hint="choose another --baseline",
        )
