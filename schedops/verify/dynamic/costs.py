"""What the policy itself costs: the run time of its callbacks, and switches nobody asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schedops.model.guest import ProgramRuns
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.look import Look
from schedops.verify.dynamic.waits import starved_host, unproved
from schedops.verify.judge import Outcome, failed, passed, unknown

# Called once per load, per task or per CPU, not on the way of every wake-up and slice.
_SELDOM = ("init", "exit", "init_task", "exit_task", "cpu_online", "cpu_offline", "cgroup_", "dump", "sub_")
_PATIENT = ("dispatch", *_SELDOM)  # dispatch searches, and only when its CPU has nothing left


def callbacks_cost(looks: Sequence[Look], callbacks: Mapping[str, str]) -> Outcome | None:
    """None when no callback takes too long in the mean of the load in which it was cheapest.

    CPUs that are emulated by threads can be stopped with a lock held, and then the others' callbacks last; the more
    of them want it at once, the longer. That differs from load to load, and what a callback does by itself does not.

    :param callbacks: ops member -> program name; programs that are not in it are held to the wider limit.
    """
    members = {program: member for member, program in callbacks.items()}
    slow = [text for runs in cheapest(looks) if (text := _slow(runs, members.get(runs.name, "")))]
    if not slow:
        return None
    return failed(rules.OVERHEAD, "; ".join(slow), rules.OVERHEAD.fix, final=False)


def counted(looks: Sequence[Look], callbacks: Mapping[str, str]) -> Outcome | None:
    """None when the kernel counted runs of the policy's programs: no figure is not a low one."""
    often = [member for member in callbacks if not member.startswith(_SELDOM)]
    if not often or any(runs.runs for look in looks for runs in look.reading.programs):
        return None
    return unknown(Verdict.INCONCLUSIVE, f"the kernel counted no run of {', '.join(sorted(often))}")


def cheapest(looks: Sequence[Look]) -> tuple[ProgramRuns, ...]:
    """Each program as in the load in which it took least, of those in which it ran often enough; sorted by name."""
    best: dict[str, ProgramRuns] = {}
    for runs in (one for look in looks for one in look.reading.programs if one.runs >= limits.MIN_RUNS):
        if runs.name not in best or runs.ns_per_run < best[runs.name].ns_per_run:
            best[runs.name] = runs
    return tuple(best[name] for name in sorted(best))


def switches(look: Look) -> Outcome | None:
    """None when tasks that do not sleep are not switched much more often than slices end."""
    per_s = switches_per_s(look)
    if per_s <= limits.MAX_SWITCHES_PER_S:
        return None
    text = f"{per_s:.0f} context switches a second among hogs, at most {limits.MAX_SWITCHES_PER_S} are expected"
    if starved_host(look):
        return unproved(look, text)
    return failed(rules.SWITCH_STORM, text, rules.SWITCH_STORM.fix, final=False)


def switches_per_s(look: Look) -> float:
    """Without the two that every wake-up of a sleeper may take."""
    pairs = zip(look.plan.groups, look.reading.groups, strict=True)
    needed = sum(2 * seen.iterations for group, seen in pairs if group.kind == "sleeper")
    return max(look.reading.context_switches - needed, 0) / (look.reading.duration_ms / 1000)


def enough(look: Look) -> Outcome | None:
    """None when the program that was to run so often did, by the kernel's count."""
    if not look.plan.until_runs:
        return None
    runs = next((one.runs for one in look.reading.programs if one.name == look.plan.of_program), 0)
    if runs >= look.plan.until_runs:
        return None
    text = f"enqueue ran {runs} times in {look.reading.duration_ms / 1000:.1f} s; {look.plan.until_runs} are needed"
    return unknown(Verdict.INCONCLUSIVE, text, rule=rules.TOO_FEW_ENQUEUES)


def summary(looks: Sequence[Look], hogs: Look) -> Outcome:
    """The dearest callback and the switches, in one line."""
    per_s = switches_per_s(hogs)
    often = cheapest(looks)
    if not often:
        return passed(f"no callback that runs often, {per_s:.0f} switches/s among hogs")
    dearest = max(often, key=lambda runs: runs.ns_per_run)
    text = f"dearest callback {dearest.name} {dearest.ns_per_run / 1000:.1f} us, {per_s:.0f} switches/s among hogs"
    return passed(text)


def _slow(runs: ProgramRuns, member: str) -> str:
    patient = not member or member.startswith(_PATIENT)
    limit = limits.MAX_DISPATCH_NS if patient else limits.MAX_ENQUEUE_NS
    if runs.ns_per_run <= limit:
        return ""
    name = f"{member} ({runs.name})" if member else runs.name
    return f"{name} takes {runs.ns_per_run / 1000:.0f} us a call, at most {limit // 1000} us are allowed"
