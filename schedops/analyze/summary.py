"""Tier 0: what is known of a workload without running it: its file, its plan, what history has. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from schedops.analyze.figure import figure
from schedops.model.environment import HostFacts
from schedops.model.jobs import Hints
from schedops.model.profile import ClassFinding, Figure, Profile
from schedops.model.simulation import Op, SimPlan, SyncKind
from schedops.model.workload import Workload

DECLARED = 0.7  # a file says what is meant, not what happens: not enough to be clear
GUESSED = 0.5  # from the steps of its tasks
_UNEVEN = 2.0  # as the rule of the class


def summary_figures(workload: Workload, plan: SimPlan, hints: Hints | None, ideal_s: float) -> tuple[Figure, ...]:
    """What there is to do, and how much of it history knows."""
    return tuple(_figures(workload, plan, hints, ideal_s))


def _figures(workload: Workload, plan: SimPlan, hints: Hints | None, ideal_s: float) -> Iterator[Figure]:
    yield figure("tasks", len(plan.tasks), "tasks", "the plan of a run")
    yield figure("task_classes", len(plan.labels), "classes", "the plan")
    yield figure("groups", len({task.cgroup for task in plan.tasks if task.cgroup}), "groups", "the plan: cgroups")
    yield figure("ideal_s", ideal_s, "s", "work of the plan if no CPU ever idled")
    for kind, name in ((SyncKind.QUEUE, "queues"), (SyncKind.LOCK, "locks"), (SyncKind.BARRIER, "barriers")):
        count = sum(sync.kind == kind for sync in plan.syncs)
        if count:
            yield figure(name, count, name, "the plan")
    if workload.builds is not None:
        yield figure("builds", workload.builds.builds, "builds", "the workload's file")
        yield figure("parallel_jobs", workload.builds.parallel_jobs, "jobs", "the workload's file: make -j")
    if workload.batch is not None:
        yield figure("long_factor", workload.batch.long_factor, "ratio", "the workload's file: long job by short one")
    if hints is not None:
        yield figure("known_jobs", len(hints.hints), "jobs", "policies/hints: measured before")
        longest = max((hint.cpu_us for hint in hints.hints), default=0)
        yield figure("known_longest_ms", longest / 1000, "ms", "policies/hints: CPU time of the longest of them")


def summary_classes(workload: Workload, plan: SimPlan, cpus: int, earlier: Profile | None) -> tuple[ClassFinding, ...]:
    """What an earlier run has found, else what the file says it is meant to be, which is never clear.

    :param earlier: the last profile of the very same workload on so many CPUs.
    """
    if earlier is not None and earlier.classes:
        return tuple(
            ClassFinding(
                name=one.name,
                because=f"an earlier run, tier {earlier.tier} on {earlier.kernel}: {one.because}"[:4000],
                confidence=one.confidence,
            )
            for one in earlier.classes
        )
    name, because, confidence = _declared(workload, plan, cpus)
    return (ClassFinding(name=name, because=because, confidence=confidence),)


def _declared(workload: Workload, plan: SimPlan, cpus: int) -> tuple[str, str, float]:
    if workload.builds is not None:
        model = workload.builds
        at_once = model.builds * model.parallel_jobs
        name = "saturating-groups" if model.builds > 1 and at_once > cpus else "build-graph"
        return name, f"its file: {model.builds} builds with -j{model.parallel_jobs} on {cpus} CPUs", DECLARED
    if workload.batch is not None:
        ratio = workload.batch.long_factor
        name = "uneven-batch" if ratio >= _UNEVEN and workload.batch.long_jobs else "even-batch"
        return name, f"its file: a batch of jobs, long ones take {ratio:g} times a short one", DECLARED
    if workload.graph is not None:
        return "build-graph", "its file: a build graph under make -j", DECLARED
    if workload.pipes is not None:
        return "message-passing", "its file: senders and receivers that share pipes", DECLARED
    if workload.requests is not None:
        return "request-response", "its file: messengers that hand requests to workers", DECLARED
    return _by_steps(plan)


def _by_steps(plan: SimPlan) -> tuple[str, str, float]:
    steps = {step.op for program in plan.programs for step in program}
    if plan.end_ns and Op.END in steps:
        return "request-response", "its file: tasks go on and report requests", GUESSED
    if plan.end_ns and steps & {Op.TIMER, Op.SLEEP, Op.SLEEP_TABLE}:
        return "latency-critical", "its file: tasks go on, and wake by timers", GUESSED
    if steps & {Op.SEND, Op.BARRIER}:
        return "pipeline", "its file: tasks that end, joined by queues or barriers", GUESSED
    if steps & {Op.POST, Op.SIGNAL}:
        return "message-passing", "its file: tasks that end and wake each other", GUESSED
    return "mixed", "its file: tasks of several kinds", GUESSED


def topology_words(facts: HostFacts) -> str:
    """The machine in one sentence; what is not known is left out."""
    named = (("governor", facts.governor), ("SMT", facts.smt), ("turbo", facts.turbo), ("virtualisation",
             facts.virtualisation))  # fmt: skip
    known = "".join(f", {name} {value}" for name, value in named if value)
    model = f" ({facts.cpu_model})" if facts.cpu_model else ""
    return f"This machine: {facts.cpus} CPUs{model}, kernel {facts.kernel}{known}."
