"""Did a run measure what it should have? Readings in, a reason against them out."""

from __future__ import annotations

from dataclasses import fields

from schedops.model.guest import SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup


def why_invalid(arm_ops: str, before: SchedState, after: SchedState) -> str:
    """What was wrong with who was in charge; empty when the right scheduler was, before and after.

    :param arm_ops: name of the policy that must be in charge; empty when it must be the default scheduler.
    """
    if arm_ops:
        for when, state in (("before", before), ("after", after)):
            if trouble := _not_ours(arm_ops, state):
                return f"{when} the run {trouble}"
    else:
        for when, state in (("before", before), ("after", after)):
            if state.state != "disabled":
                return f"{when} the run sched_ext was {state.state} ({state.ops or 'no name'}), not disabled"
    if before.enable_seq != after.enable_seq:
        return f"a policy was enabled during the run (enable_seq {before.enable_seq} to {after.enable_seq})"
    return ""


def _not_ours(ops: str, state: SchedState) -> str:
    if state.state != "enabled":
        return f"the policy was {state.state}"
    if state.ops != ops:
        return f"{state.ops!r} was in charge, not {ops!r}"
    if state.task_on_ext is not True:
        return "no normal task was seen under the policy"
    return ""


def why_unread(plan: JobPlan, setup: RunSetup, reading: RunReading) -> str:
    """What was wrong with the reading itself; empty when every job ran, ended well and was read."""
    for field in fields(reading):
        column = getattr(reading, field.name)
        if isinstance(column, tuple) and len(column) != len(plan.jobs):
            return f"{field.name} has {len(column)} entries for {len(plan.jobs)} jobs"
    failed = [code for code in reading.exit_codes if code != 0]
    if failed:
        return f"{len(failed)} of {len(plan.jobs)} jobs failed, the first with exit code {failed[0]}"
    handed = sum(1 for ns in (*setup.hint_ns, *setup.group_hint_ns) if ns)
    if reading.hints_accepted < handed:
        return f"the loader took {reading.hints_accepted} of {handed} hints"
    return ""


def lost(before: SchedState, after: SchedState) -> bool:
    """The kernel dropped the policy during the run."""
    return before.state == "enabled" and after.state != "enabled"
