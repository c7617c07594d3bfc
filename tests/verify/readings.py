"""Readings of a guest in which all went well, to be spoiled one field at a time."""

from __future__ import annotations

from schedops.model.guest import (
    AttachReading,
    DetachReading,
    LoadGroup,
    LoadGroupReading,
    LoadReading,
    SchedState,
)
from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance

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


def group_reading(name: str, wait_ms: float = 50.0, never: int = 0, violations: int = 0) -> LoadGroupReading:
    return LoadGroupReading(
        name=name,
        cpu_ms=(900.0,),
        max_wait_ms=wait_ms,
        never_ran=never,
        iterations=100,
        affinity_violations=violations,
        wake_p99_us=0,
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
