"""Requests for loads, and readings out of the guest's replies. Pure; everything read here is untrusted.

The formats are written down in ``schedops/guest/load_plan.c`` and ``load.c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.guest import LoadGroup, LoadGroupReading, LoadPlan, LoadReading, ProgramRuns

MAX_LOAD_TASKS = 1024
MAX_LOAD_GROUPS = 64
MAX_STEPS = 64
_KINDS = ("hog", "sleeper", "forker", "execer", "yielder", "pipe", "mover", "renicer", "stopped", "traced", "latecomer")
_OUTSIDE = ("hog", "sleeper", "latecomer")  # which end with their own process
_STATES = ("enabling", "enabled", "disabling", "disabled", "bypassing", "initializing", "")
_CPUS = range(64)
_NICE = range(-20, 20)
_WEIGHTS = range(10001)  # of cpu.weight; 0: no cgroup of its own
_MAX_MS = 600_000
_MAX_US = 60_000_000
_PROGRAM = re.compile(r"[A-Za-z0-9_.]{1,15}")
_MAX_PROGRAMS = 128
_NAME_KEPT = 15  # what the kernel keeps of a program's name (BPF_OBJ_NAME_LEN and its final zero)
# A clock that runs on while the guest's figures are put together, on a host that stops the guest meanwhile.
_SLACK_US = 600_000_000
_MAX_WAKE_US = 1 << 40


def load_request(plan: LoadPlan) -> bytes:
    """:raises InputError: more than the load generator can hold, or something that it does not know."""
    _check_size(plan)
    for group in plan.groups:
        _check_group(group)
    program = plan.of_program[:_NAME_KEPT]
    if (plan.until_runs or program) and not _PROGRAM.fullmatch(program):
        raise InputError("load-plan", f"no name of a program to count: {program!r}")
    numbers = f"{plan.duration_ms} {plan.max_ms} {plan.until_runs}"
    flags = f"{int(plan.program_stats)} {int(plan.stay_through_loss)} {int(plan.quiet)}"
    steps = (f"cpu {step.at_ms} {step.cpu} {int(step.online)}" for step in plan.hotplug)
    return "\n".join((f"load {numbers} {flags} {program or '-'}", *steps, *map(_group_line, plan.groups))).encode()


def load_reading(body: wire.Body, plan: LoadPlan) -> LoadReading:
    """:raises Garbled: a field is missing, of another type, out of range, or not one entry per group or task."""
    rows, columns = body.all("group"), body.all("cpu_us")
    if len(rows) != len(plan.groups) or len(columns) != len(plan.groups):
        raise wire.Garbled(f"{len(rows)} groups where {len(plan.groups)} were asked for")
    duration_us = body.bounded("duration_us", _MAX_MS * 1000 + _SLACK_US)
    entries = zip(plan.groups, rows, columns, strict=True)
    return LoadReading(
        duration_ms=duration_us / 1e3,
        groups=tuple(_group_reading(*entry, most_us=duration_us + _SLACK_US) for entry in entries),
        state_before=body.choice("state_before", _STATES),
        state_after=body.choice("state_after", _STATES),
        lost_after_ms=body.bounded("lost_after_us", duration_us) / 1e3,
        context_switches=body.number("context_switches"),
        harness_jitter_ms=body.bounded("jitter_us", duration_us + _SLACK_US) / 1e3,
        stolen_ms=body.bounded("stolen_us", duration_us + _SLACK_US) / 1e3,
        programs=_programs(body.all("program"), asked=plan.program_stats),
        hotplug_failed=body.bounded("hotplug_failed", len(plan.hotplug)),
    )


def _group_reading(group: LoadGroup, row: str, column: str, *, most_us: int) -> LoadGroupReading:
    max_wait_us, never, iterations, violations, p99_us = wire.numbers(row, 5)
    cpu_us = wire.numbers(column, group.count)
    if never > group.count or p99_us > _MAX_WAKE_US or max(max_wait_us, *cpu_us) > most_us:
        raise wire.Garbled("figures of a group that cannot be")
    return LoadGroupReading(
        name=group.name,
        cpu_ms=tuple(us / 1e3 for us in cpu_us),
        max_wait_ms=max_wait_us / 1e3,
        never_ran=never,
        iterations=iterations,
        affinity_violations=violations,
        wake_p99_us=p99_us,
    )


def _programs(rows: tuple[str, ...], *, asked: bool) -> tuple[ProgramRuns, ...]:
    """One entry per name: two objects of one policy may have a program of the same name each."""
    if len(rows) > (_MAX_PROGRAMS if asked else 0):
        raise wire.Garbled(f"{len(rows)} programs")
    counted: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        name, _, figures = row.partition(" ")
        if not _PROGRAM.fullmatch(name):
            raise wire.Garbled(f"no name of a program: {name[:40]!r}")
        runs, picoseconds = wire.numbers(figures, 2)
        counted.setdefault(name, []).append((runs, picoseconds))
    return tuple(_runs(name, counted[name]) for name in sorted(counted))


def _runs(name: str, entries: Iterable[tuple[int, int]]) -> ProgramRuns:
    pairs = list(entries)
    runs = sum(count for count, _ in pairs)
    mean_ps = sum(count * each for count, each in pairs) / runs if runs else 0.0
    return ProgramRuns(name=name, runs=runs, ns_per_run=mean_ps / 1e3)


def _group_line(group: LoadGroup) -> str:
    numbers = f"{group.weight} {group.work_us} {group.sleep_us} {int(group.outside)} {group.hint_us}"
    kind = _KINDS.index(group.kind)
    return f"group {kind} {group.count} {group.nice} {_mask(group.cpus):x} {_mask(group.start_on):x} {numbers}"


def _mask(cpus: tuple[int, ...]) -> int:
    return sum(1 << cpu for cpu in set(cpus))


def _check_size(plan: LoadPlan) -> None:
    if not plan.groups or len(plan.groups) > MAX_LOAD_GROUPS or _tasks(plan) > MAX_LOAD_TASKS:
        raise _too_much(f"a load has 1 to {MAX_LOAD_GROUPS} groups and at most {MAX_LOAD_TASKS} tasks")
    if len(plan.hotplug) > MAX_STEPS or any(step.cpu not in _CPUS for step in plan.hotplug):
        raise _too_much(f"at most {MAX_STEPS} times a CPU, one of 0 to 63, goes or comes")
    times = (plan.duration_ms, plan.max_ms, *(step.at_ms for step in plan.hotplug))
    if plan.duration_ms < 1 or any(ms not in range(_MAX_MS + 1) for ms in times) or plan.until_runs < 0:
        raise _too_much(f"a load takes 1 to {_MAX_MS} ms")


def _tasks(plan: LoadPlan) -> int:
    return sum(group.count for group in plan.groups)


def _check_group(group: LoadGroup) -> None:
    if group.kind not in _KINDS:
        raise InputError("load-kind", f"no such kind of load: {group.kind!r}", hint=f"one of {', '.join(_KINDS)}")
    if any(cpu not in _CPUS for cpu in (*group.cpus, *group.start_on)):
        raise _too_much("a load names CPUs 0 to 63")
    if group.count < 1 or (group.kind == "pipe" and group.count % 2):
        raise InputError("load-plan", f"{group.name}: a group has at least one task, and pipes have pairs")
    if group.nice not in _NICE or group.weight not in _WEIGHTS:
        raise _too_much(f"{group.name}: nice is -20 to 19, a weight 1 to {_WEIGHTS[-1]}")
    if any(us not in range(_MAX_US + 1) for us in (group.work_us, group.sleep_us, group.hint_us)):
        raise _too_much(f"{group.name}: a task works, sleeps or expects to work at most {_MAX_US // 1_000_000} s")
    if group.outside and (group.weight or group.kind not in _OUTSIDE):
        raise InputError("load-plan", f"{group.name}: outside of all cgroups are {' and '.join(_OUTSIDE)}s, unweighed")


def _too_much(message: str) -> InputError:
    return InputError("too-large", message)
