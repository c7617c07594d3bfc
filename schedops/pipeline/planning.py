"""The stages search and agent of the line: one proposal, two documents, each kept by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from schedops.agent.created import headers_of, source_from
from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief, Planner, Proposed, Workbench
from schedops.model.machine import flat_machine
from schedops.model.plan import Plan, Written
from schedops.model.policy import Policy, PolicySource
from schedops.model.profile import Profile
from schedops.model.search import Search
from schedops.model.workload import Workload
from schedops.pipeline.lab import Budget, workbench
from schedops.pipeline.line import Line
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import LocalHands
from schedops.ports import World
from schedops.report import found
from schedops.schema.canonical import digest_of
from schedops.schema.read import load
from schedops.sim.programs.jobs import NS_PER_ITERATION

TRIALS = 40  # candidates that a proposal tries unless it is told otherwise: seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """How much is tried in the simulator, and on which machine.

    :param trials: candidates at most; 0: none, rules alone decide.
    :param seconds: 0: as many as the trials take.
    """

    cpus: int
    scale: float
    seed: int
    trials: int
    seconds: float


@dataclass(slots=True)
class Planning:
    """Asks the planner at most once."""

    brief: Brief
    trying: Trying
    line: Line
    world: World
    planner: Planner = field(default_factory=OfflinePlanner)
    _made: Proposed | None = None

    def run(self) -> tuple[Plan, PolicySource, Search | None]:
        """The plan, the source it is about, and all that was tried; None: nothing was.

        :raises Refused: ``nothing-to-try``.
        """
        depends = self._depends()
        search = None
        if self._can_try():
            search = self.line.stage("search", "search", depends, Search, self._searched, found.search)
        plan = self.line.stage("agent", "plan", depends, Plan, lambda: self._proposed().plan, found.plan)
        return plan, source_of(plan, self.brief.library, self.brief.profile), search

    def _can_try(self) -> bool:
        return self.trying.trials > 0 and self.world.simulator is not None

    def _proposed(self) -> Proposed:
        if self._made is None:
            self._made = self.planner.propose(self.brief, self._bench())
        return self._made

    def _searched(self) -> Search:
        search = self._proposed().search
        assert search is not None  # there was a bench
        return search

    def _bench(self) -> Workbench | None:
        if not self._can_try() or self.world.simulator is None:
            return None
        trying = self.trying
        workload = as_profiled(self.brief.workload, self.brief.profile)
        load = Load(workload=workload, machine=flat_machine(trying.cpus), scale=trying.scale)
        return workbench(
            load,
            Budget(trials=trying.trials, seconds=trying.seconds),
            seed=trying.seed,
            sampler="tpe",
            hands=LocalHands(self.world.simulator, self.world.crew),
            clock=self.world.clock,
            progress=self.world.progress,
            stage="search",
        )

    def _depends(self) -> dict[str, object]:
        brief, trying = self.brief, self.trying
        return {
            "workload": digest_of(brief.workload),
            "profile": digest_of(brief.profile),
            "hints": digest_of(brief.hints) if brief.hints is not None else "",
            "library": [digest_of(source) for source in brief.library],
            "history": [digest_of(decision) for decision in brief.history],
            "pathway": brief.pathway,
            "planner": dict(self.planner.identity),
            "trying": [trying.cpus, trying.scale, trying.seed, trying.trials, trying.seconds],
        }


def as_profiled(workload: Workload, profile: Profile) -> Workload:
    """The workload with jobs that take in the simulator what they took in the profiled run.

    Hints and thresholds are in the time of the machine that was profiled; the simulator has one speed for all.
    """
    us_per_work = next((one.value for one in profile.figures if one.name == "us_per_work"), 0.0)
    factor = us_per_work * 1000 / NS_PER_ITERATION
    if factor <= 0:
        return workload
    if workload.builds is not None:
        builds = replace(workload.builds, job_work=max(1000, round(workload.builds.job_work * factor)))
        return replace(workload, builds=builds)
    if workload.batch is not None:
        return replace(
            workload, batch=replace(workload.batch, job_work=max(1000, round(workload.batch.job_work * factor)))
        )
    return workload


def source_of(plan: Plan, library: Sequence[PolicySource], profile: Profile) -> PolicySource:
    """What a plan wants to run. :raises InputError: what a model wrote is no policy."""
    if plan.written is not None:
        return _written(plan.written, library)
    if plan.recipe:
        return source_from(plan.recipe, library, [one.name for one in profile.classes])
    return next(one for one in library if one.policy.name == plan.policy)


def _written(written: Written, library: Sequence[PolicySource]) -> PolicySource:
    policy = load(written.manifest.encode(), Policy, where="policy.yaml of the plan")
    path = f"policies/library/{policy.name}/{policy.source}"
    headers = tuple(sorted(headers_of(library).items()))
    return PolicySource(policy=policy, path=path, text=written.source, headers=headers)
