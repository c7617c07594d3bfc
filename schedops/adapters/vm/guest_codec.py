"""Readings out of the guest's replies, and requests for it; loads: ``load_codec``. Pure; all that is read is untrusted.

The formats are written down where the guest reads and writes them: ``schedops/guest/*.c``.
"""

from __future__ import annotations

import re

from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.guest import (
    AttachReading,
    DetachReading,
    ProgramReading,
    SchedState,
)
from schedops.model.jobs import JobPlan, RunReading, RunSetup

MAX_JOBS = 1000
MAX_GROUPS = 256
MAX_PHASES = 16
_STATES = ("enabling", "enabled", "disabling", "disabled", "bypassing", "initializing", "")
_OUTCOMES = ("attached", "open-failed", "load-failed", "attach-failed", "not-enabled")
_ON_EXT = {"-1": None, "0": False, "1": True}
_FLAG = ("0", "1")
_PROGRAM = re.compile(r"[A-Za-z0-9_.?]{1,63}")  # a question mark for what is in no name of C
_MAX_PROGRAMS = 128
_MAX_FIGURE = (1 << 32) - 1


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
    programs = _programs(body.all("program"))
    return AttachReading(
        outcome=body.choice("outcome", _OUTCOMES),
        errno=body.number("errno"),
        before=sched_state(body, "before"),
        after=sched_state(body, "after"),
        log=body.text,
        seconds=body.number("took_us") / 1e6,
        verified_instructions=sum(program.verified_instructions for program in programs),
        programs=programs,
    )


def _programs(rows: tuple[str, ...]) -> tuple[ProgramReading, ...]:
    if len(rows) > _MAX_PROGRAMS:
        raise wire.Garbled(f"{len(rows)} programs")
    return tuple(sorted(map(_program, rows), key=lambda program: program.name))


def _program(row: str) -> ProgramReading:
    name, _, figures = row.partition(" ")
    if not _PROGRAM.fullmatch(name):
        raise wire.Garbled(f"no name of a program: {name[:40]!r}")
    verified, total, peak, stack, xlated, jited = wire.numbers(figures, 6)
    if max(verified, total, peak, stack, xlated, jited) > _MAX_FIGURE:
        raise wire.Garbled("figures of a program that cannot be")
    return ProgramReading(
        name=name,
        verified_instructions=verified,
        total_states=total,
        peak_states=peak,
        stack_bytes=stack,
        xlated_bytes=xlated,
        jited_bytes=jited,
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


def job_request(plan: JobPlan, setup: RunSetup) -> bytes:
    """:raises InputError: more than the launcher can hold, or a job that has no place in the plan."""
    _check_plan(plan, setup)
    lines = [f"head {int(setup.cgroup_per_group)} {setup.name_seed & ((1 << 64) - 1)}"]
    group_hints = setup.group_hint_ns or (0,) * len(plan.groups)
    for group, hint in zip(plan.groups, group_hints, strict=True):
        parallel = " ".join(str(count) for count in group.parallel)
        lines.append(f"group {group.arrival_us} {hint} {len(group.parallel)} {parallel}")
    for job, nice, hint in zip(plan.jobs, setup.nice, setup.hint_ns, strict=True):
        lines.append(f"job {job.group} {job.phase} {job.work} {nice} {hint}")
    return "\n".join(lines).encode()


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
    if setup.group_hint_ns and len(setup.group_hint_ns) != len(plan.groups):
        raise InputError("job-plan", "the set-up has not one hint per group")


def _too_much(message: str) -> InputError:
    return InputError("too-large", message)
