"""What a look at a workload costs before it is taken, from its plan or from earlier looks. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from schedops.model.profile import Profile, TierCost
from schedops.model.simulation import Op, Program, SimPlan
from schedops.model.workload import Workload

SUMMARY_S = 0.1
START_S = 2.0  # a guest from its template, the plan, its tasks made
SLOW = 1.5  # a guest without KVM beside others, by the work alone
PROBES_S = 0.5  # loading them and reading what they counted
IDEAL_S = 2.5  # of work on all CPUs: with what a guest adds, both runs are done within 15 s
MIN_BUILDS = 2
SCALES = (1.0, 0.5, 0.25, 0.1)
# Fewer of the same. A batch would have as many long jobs beside fewer short ones, and of other kinds the number of
# tasks is part of what they are.
_SCALED = ("builds", "graph")


def ideal_s(plan: SimPlan, cpus: int) -> float:
    """How long a plan takes at least if no CPU ever idles, or until it is cut off; seconds."""
    if plan.end_ns:
        return plan.end_ns / 1e9
    works = [work_ns(plan, program) for program in plan.programs]
    total = sum(works[task.program] for task in plan.tasks)
    return max(total / cpus, max((works[task.program] for task in plan.tasks), default=0)) / 1e9


def work_ns(plan: SimPlan, program: Program) -> float:
    """CPU time that a program asks for, mean where it draws; what loops for ever counts once."""
    before = [0.0]  # CPU time before each step
    for step in program:
        now = before[-1]
        if step.op == Op.RUN:
            now += step.a
        elif step.op == Op.RUN_TABLE:
            table = plan.tables[step.a]
            now += sum(table) / max(1, len(table))
        elif step.op == Op.LOOP and 0 <= step.a < len(before) and step.b > 1:
            now += (now - before[step.a]) * (step.b - 1)
        before.append(now)
    return before[-1]


def scales_of(workload: Workload) -> tuple[float, ...]:
    """How much of it is still the same kind of workload, all of it first."""
    if workload.model_kind not in _SCALED:
        return SCALES[:1]
    builds = workload.builds.builds if workload.builds is not None else math.inf
    # One build has nobody to compete with.
    return tuple(scale for scale in SCALES if scale == 1 or builds * scale >= MIN_BUILDS)


def cost_of(tier: str, plan: SimPlan, cpus: int, earlier: Profile | None = None) -> TierCost:
    """Of one tier with all before it.

    :param earlier: the last profile of this workload, if it was on so many CPUs and of the same scale.
    """
    known = next((one for one in earlier.costs if one.tier == tier), None) if earlier else None
    if known is not None:
        return replace(known, how="measured the last time")
    play = ideal_s(plan, cpus) * (1.0 if plan.end_ns else SLOW)
    if tier == "summary":
        return TierCost(tier=tier, seconds=SUMMARY_S, overhead=0.0, how="nothing is run")
    how = f"estimated: {play:.1f} s of work on {cpus} CPUs, and what a guest adds"
    if tier == "profile":
        return TierCost(tier=tier, seconds=START_S + play, how=how)
    return TierCost(tier=tier, seconds=START_S + 2 * play + PROBES_S, how=f"{how}; a plain run and a probed one")
