"""Readings of a guest in which all went well, to be spoiled one field at a time."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.guest import (
    AttachReading,
    DetachReading,
    LoadGroup,
    LoadGroupReading,
    LoadPlan,
    LoadReading,
    ProgramRuns,
    SchedState,
)
from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance
from schedops.verify.dynamic import loads

SEQ = 3
BEFORE = SchedState(state="disabled", ops="", enable_seq=SEQ - 1, switch_all=0, nr_rejected=0, task_on_ext=False)
ENABLED = SchedState(state="enabled", ops="ours", enable_seq=SEQ, switch_all=1, nr_rejected=0, task_on_ext=True)
AFTER = SchedState(state="disabled", ops="", enable_seq=SEQ, switch_all=0, nr_rejected=0, task_on_ext=False)
ATTACHED = AttachReading(
    outcome="attached", errno=0, before=BEFORE, after=ENABLED, log="", seconds=0.5, verified_instructions=60
)
DETACHED = DetachReading(was_attached=True, state=AFTER, programs_left=0, seconds=0.25)
GROUPS = (
    LoadGroup(name="hogs", kind="hog", count=2),
    LoadGroup(name="very niced hogs", kind="hog", count=1, nice=15),
)


def group_reading(
    name: str,
    wait_ms: float = 50.0,
    never: int = 0,
    violations: int = 0,
    cpu_ms: tuple[float, ...] = (900.0,),
    p99_us: int = 0,
) -> LoadGroupReading:
    return LoadGroupReading(
        name=name,
        cpu_ms=cpu_ms,
        max_wait_ms=wait_ms,
        never_ran=never,
        iterations=100,
        affinity_violations=violations,
        wake_p99_us=p99_us,
    )


def load_reading(
    *groups: LoadGroupReading, jitter_ms: float = 5.0, after: str = "enabled", lost_ms: float = 0.0
) -> LoadReading:
    return LoadReading(
        duration_ms=3000.0,
        groups=groups or tuple(group_reading(group.name) for group in GROUPS),
        state_before="enabled",
        state_after=after,
        lost_after_ms=lost_ms,
        context_switches=1000,
        harness_jitter_ms=jitter_ms,
    )


def mixed_reading() -> LoadReading:
    """Of the mix."""
    return load_reading(*(group_reading(group.name) for group in loads.mixed(2).groups))


def reading_of(plan: LoadPlan, cpus: int = 2) -> LoadReading:
    """A load in which everybody got a fair share of all CPUs, in time."""
    hogs = sum(group.count / (1.0 + group.nice / 2) for group in plan.groups if group.kind == "hog" and group.nice >= 0)
    each = plan.duration_ms * (cpus if plan.groups[0].start_on else 1) * 0.98 / max(hogs, 1.0)

    alone = len({group.cpus for group in plan.groups if group.cpus}) == len(plan.groups)  # each on CPUs of its own

    def got(group: LoadGroup) -> float:
        if alone and group.kind == "hog":
            return plan.duration_ms * 0.98 / group.count
        return each * (group.weight or 100) / 100 / (1.0 + max(group.nice, 0) / 2) if group.kind == "hog" else 5.0

    groups = tuple(
        group_reading(group.name, cpu_ms=(got(group),) * group.count, p99_us=1024 if group.kind == "sleeper" else 0)
        for group in plan.groups
    )
    runs = max(plan.until_runs, 1000)
    programs = (ProgramRuns(name=plan.of_program or "f_enqueue", runs=runs, ns_per_run=2500.0),)
    return replace(
        load_reading(*groups), duration_ms=float(plan.duration_ms), programs=programs if plan.program_stats else ()
    )


POLICY = Policy(
    name="ours",
    description="",
    tags=(),
    classes=(),
    source="ours.bpf.c",
    ops_name="ours",
    capabilities=Capabilities(),
    loses_when="",
    provenance=Provenance(author="human", pathway="create"),
)
SOURCE = PolicySource(
    policy=POLICY,
    path="policies/library/ours/ours.bpf.c",
    text="/* x */\nvoid f(void)\n{\n\t*count += 1;\n}\n",
    headers=(("schedops.h", "int x;\n  int y;\n"),),
)
