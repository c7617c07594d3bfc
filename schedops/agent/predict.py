"""What an order of service is worth for a workload, from model runs on the profiled job lengths. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schedops.agent.quantum import Discipline, simulate
from schedops.model.jobs import Hints, JobPlan, RunSetup
from schedops.model.policy import Policy
from schedops.model.profile import Profile
from schedops.model.workload import JOB_KINDS, Workload
from schedops.stats.summary import median
from schedops.workloads.arms import setup_of
from schedops.workloads.expand import expand
from schedops.workloads.metrics import metrics_of

RUNS = 6  # of the model, each with jobs drawn anew
SOURCE = f"quantum model, {RUNS} runs with the profiled CPU time per unit of work"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before anything is tried."""

    workload: Workload
    profile: Profile
    hints: Hints | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Change of a metric, as fractions, negative = smaller: the median over the model's runs."""

    metric: str
    over_default: float
    over_informed: float


def discipline_of(policy: Policy) -> Discipline | None:
    """What the model plays for a policy, by its tags and capabilities; None when it has nothing like it."""
    tags = set(policy.tags)
    if "fifo-by-group" in tags and policy.capabilities.cgroups:
        return Discipline.GROUPS_IN_ORDER
    if "longest-first" in tags and policy.capabilities.hints:
        return Discipline.LONG_FIRST
    return Discipline.FAIR if tags & {"fair", "vtime"} else None


def predictions(situation: Situation, policies: Sequence[Policy]) -> Mapping[str, tuple[Prediction, ...]]:
    """Policy -> one prediction per objective and guard of the workload; none where the model has nothing like it."""
    ran = any(one.name == "us_per_work" for one in situation.profile.figures)
    if situation.workload.model_kind not in JOB_KINDS or not ran:
        return {}
    plans = _plans(situation)
    default = [_metrics(situation, plan, _setup(situation, plan, "eevdf"), Discipline.FAIR) for plan in plans]
    informed = [_metrics(situation, plan, _setup(situation, plan, "informed"), Discipline.FAIR) for plan in plans]
    wanted = [one.metric for one in situation.workload.objectives]
    wanted += [one.metric for one in situation.workload.guards]
    found = {}
    for policy in policies:
        ours = _candidate(situation, policy, plans)
        found[policy.name] = tuple(
            Prediction(metric, _change(metric, ours, default), _change(metric, ours, informed))
            for metric in wanted
            if ours
        )
    return found


def _candidate(situation: Situation, policy: Policy, plans: Sequence[JobPlan]) -> list[dict[str, float]]:
    discipline = discipline_of(policy)
    if discipline is None:
        return []
    setups = [_setup(situation, plan, "candidate", takes_hints=policy.capabilities.hints) for plan in plans]
    if discipline is Discipline.FAIR:
        setups = [replace(setup, cgroup_per_group=policy.capabilities.cgroups) for setup in setups]
    return [_metrics(situation, plan, setup, discipline) for plan, setup in zip(plans, setups, strict=True)]


def _plans(situation: Situation) -> list[JobPlan]:
    # Other seeds than the profiled run's, so that hints meet lengths they were not learnt from.
    seed, cpus, scale = situation.profile.seed, situation.profile.cpus, _scale(situation)
    return [expand(situation.workload, seed=seed + 1000 + run, cpus=cpus, scale=scale) for run in range(RUNS)]


def _scale(situation: Situation) -> float:
    # The size of the profiled run, read off its counts.
    figures = {one.name: one.value for one in situation.profile.figures}
    builds, batch = situation.workload.builds, situation.workload.batch
    if builds is not None:
        return figures["groups"] / builds.builds
    assert batch is not None  # Workload allows exactly one
    return max(1.0, figures["jobs"] - batch.long_jobs) / (batch.short_jobs_per_cpu * situation.profile.cpus)


def _setup(situation: Situation, plan: JobPlan, arm: str, *, takes_hints: bool = False) -> RunSetup:
    return setup_of(arm, plan, hints=situation.hints, policy_takes_hints=takes_hints, name_seed=0)


def _metrics(situation: Situation, plan: JobPlan, setup: RunSetup, discipline: Discipline) -> dict[str, float]:
    per_work = {one.name: one.value for one in situation.profile.figures}["us_per_work"]
    reading = simulate(plan, setup, discipline, us_per_work=per_work)
    return {value.metric: value.value for value in metrics_of(situation.workload, plan, reading)}


def _change(metric: str, new: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]]) -> float:
    # A metric that this workload does not give is no change here; the gate calls it an error later.
    logs = [math.log(n[metric] / b[metric]) for n, b in zip(new, base, strict=True) if metric in n and metric in b]
    return math.expm1(median(logs)) if logs else 0.0
