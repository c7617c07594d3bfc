"""Readings out of the guest's replies, and requests for it. Pure; everything read here is untrusted.

The formats are written down where the guest reads and writes them: ``schedops/guest/*.c``.
"""

from __future__ import annotations

from collections.abc import Sequence

from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.guest import (
    AttachReading,
    DetachReading,
    LoadGroup,
    LoadGroupReading,
    LoadPlan,
    LoadReading,
    SchedState,
)
from schedops.model.jobs import JobPlan, RunReading, RunSetup

MAX_JOBS = 1000
MAX_GROUPS = 256
MAX_PHASES = 16
MAX_LOAD_TASKS = 1024
MAX_LOAD_GROUPS = 64
_KINDS = ("hog", "sleeper", "forker")
_STATES = ("enabling", "enabled", "disabling", "disabled", "bypassing", "initializing", "")
_OUTCOMES = ("attached", "open-failed", "load-failed", "attach-failed", "not-enabled")
_ON_EXT = {"-1": None, "0": False, "1": True}
_FLAG = ("0", "1")


def sched_state(body: wire.Body, prefix: str) -> SchedState:
    """:raises Garbled: a field is missing or of another type."""
    return SchedState(
        state=body.choice(f"{prefix}.state", _STATES),
        ops=body.one(f"{prefix}.ops"),
        enable_seq=body.number(f"{prefix}.enable_seq"),
        switch_all=body.number(f"{prefix}.switch_all"),
        nr_rejected=body.number(f"{prefix}.nr_rejected"),
        task_on_ext=_ON_EXT[body.choice(f"{prefix}.task_on_ext", tuple(_ON_EXT))],
    )


def attach_reading(body: wire.Body) -> AttachReading:
    """:raises Garbled: a field is missing or of another type."""
    return AttachReading(
        outcome=body.choice("outcome", _OUTCOMES),
        errno=body.number("errno"),
        before=sched_state(body, "before"),
        after=sched_state(body, "after"),
        log=body.text,
        seconds=body.number("took_us") / 1e6,
        verified_instructions=body.number("verified"),
    )


def detach_reading(body: wire.Body) -> DetachReading:
    """:raises Garbled: a field is missing or of another type."""
    return DetachReading(
        was_attached=body.choice("was_attached", _FLAG) == "1",
        state=sched_state(body, "after"),
        programs_left=body.number("programs_left"),
        seconds=body.number("took_us") / 1e6,
    )


def run_reading(body: wire.Body, jobs: int) -> RunReading:
    """:raises Garbled: a field is missing, of another type, or not one number per job."""
    return RunReading(
        start_us=body.column("start_us", jobs),
        end_us=body.column("end_us", jobs),
        cpu_us=body.column("cpu_us", jobs),
        run_delay_us=body.column("run_delay_us", jobs),
        voluntary_switches=body.column("voluntary", jobs),
        involuntary_switches=body.column("involuntary", jobs),
        exit_codes=body.column("exit_codes", jobs),
        hints_accepted=body.number("hints_accepted"),
        wall_us=body.number("wall_us"),
        context_switches=body.number("context_switches"),
        wakeups=body.number("wakeups"),
    )


def load_reading(body: wire.Body, groups: Sequence[LoadGroup]) -> LoadReading:
    """:raises Garbled: a field is missing, of another type, or not one entry per group or task."""
    rows, columns = body.all("group"), body.all("cpu_us")
    if len(rows) != len(groups) or len(columns) != len(groups):
        raise wire.Garbled(f"{len(rows)} groups where {len(groups)} were asked for")
    return LoadReading(
        duration_ms=body.number("duration_us") / 1e3,
        groups=tuple(_load_group(*entry) for entry in zip(groups, rows, columns, strict=True)),
        state_before=body.choice("state_before", _STATES),
        state_after=body.choice("state_after", _STATES),
        lost_after_ms=body.number("lost_after_us") / 1e3,
        context_switches=body.number("context_switches"),
        harness_jitter_ms=body.number("jitter_us") / 1e3,
    )


def _load_group(group: LoadGroup, row: str, column: str) -> LoadGroupReading:
    max_wait_us, never, iterations, violations, p99_us = wire.numbers(row, 5)
    return LoadGroupReading(
        name=group.name,
        cpu_ms=tuple(us / 1e3 for us in wire.numbers(column, group.count)),
        max_wait_ms=max_wait_us / 1e3,
        never_ran=never,
        iterations=iterations,
        affinity_violations=violations,
        wake_p99_us=p99_us,
    )


def job_request(plan: JobPlan, setup: RunSetup) -> bytes:
    """:raises InputError: more than the launcher can hold, or a job that has no place in the plan."""
    _check_plan(plan, setup)
    lines = [f"head {int(setup.cgroup_per_group)} {setup.name_seed & ((1 << 64) - 1)}"]
    for group in plan.groups:
        parallel = " ".join(str(count) for count in group.parallel)
        lines.append(f"group {group.arrival_us} {len(group.parallel)} {parallel}")
    for job, nice, hint in zip(plan.jobs, setup.nice, setup.hint_ns, strict=True):
        lines.append(f"job {job.group} {job.phase} {job.work} {nice} {hint}")
    return "\n".join(lines).encode()


def load_request(plan: LoadPlan) -> bytes:
    """:raises InputError: more than the load generator can hold, or a kind it does not know."""
    groups = plan.groups
    if len(groups) > MAX_LOAD_GROUPS or sum(group.count for group in groups) > MAX_LOAD_TASKS:
        raise _too_much(f"a load has at most {MAX_LOAD_GROUPS} groups and {MAX_LOAD_TASKS} tasks")
    if unknown := [group.kind for group in groups if group.kind not in _KINDS]:
        raise InputError("load-kind", f"no such kind of load: {unknown[0]!r}", hint=f"one of {', '.join(_KINDS)}")
    if any(cpu not in range(64) for group in groups for cpu in group.cpus):
        raise _too_much("a load names CPUs 0 to 63")
    return "\n".join([f"load {plan.duration_ms}", *(_load_line(group) for group in groups)]).encode()


def _load_line(group: LoadGroup) -> str:
    mask = sum(1 << cpu for cpu in set(group.cpus))
    kind = _KINDS.index(group.kind)
    return f"group {kind} {group.count} {group.nice} {mask:x} {group.work_us} {group.sleep_us}"


def _check_plan(plan: JobPlan, setup: RunSetup) -> None:
    if len(plan.jobs) > MAX_JOBS or len(plan.groups) > MAX_GROUPS:
        raise _too_much(f"a run has at most {MAX_JOBS} jobs in {MAX_GROUPS} groups")
    if any(len(group.parallel) > MAX_PHASES or min(group.parallel, default=1) < 1 for group in plan.groups):
        raise _too_much(f"a group has at most {MAX_PHASES} phases, each with room for at least one job")
    phases = [len(group.parallel) for group in plan.groups]
    if any(job.group not in range(len(phases)) or job.phase not in range(phases[job.group]) for job in plan.jobs):
        raise InputError("job-plan", "a job names a group or phase that the plan does not have")
    if len(setup.nice) != len(plan.jobs) or len(setup.hint_ns) != len(plan.jobs):
        raise InputError("job-plan", "the set-up has not one nice value and one hint per job")


def _too_much(message: str) -> InputError:
    return InputError("too-large", message)
