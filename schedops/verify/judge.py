"""Readings of one guest to findings, with fixed thresholds. Pure.

The thresholds separated a corpus of labelled good and bad policies on kernels 6.16 to 7.3 under emulation.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from schedops.model.guest import AttachReading, DetachReading, LoadGroup, LoadGroupReading, LoadReading, SchedState
from schedops.model.policy import Policy
from schedops.model.verdict import Verdict
from schedops.verify.kernel_log import emulator_fault, exit_reason, host_starved, splats
from schedops.verify.verifier_log import read_refusal, symbol_in

MAX_WAIT_MS = 2000.0
MAX_WAIT_NICED_MS = 3500.0  # tasks of nice 10 and above
NICED = 10
MAX_UNLOAD_S = 2.0
# The watcher is real-time: when even it is late, the host did not run the guest, and waits prove nothing.
MAX_JITTER_MS = 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one stage came to.

    :param rule: the rule that was broken; empty when nothing was.
    :param file: place in the source as the object names it; *line* 0 when there is none.
    :param symbol: a name to look up in the source when there is no line.
    :param final: repeating the stage would not change it.
    """

    verdict: Verdict
    text: str
    rule: str = ""
    advice: str = ""
    file: str = ""
    line: int = 0
    symbol: str = ""
    final: bool = True


def load(reading: AttachReading) -> Outcome:
    """Did the verifier accept every program?"""
    if reading.outcome in ("open-failed", "load-failed"):
        refusal = read_refusal(reading.log)
        return Outcome(
            verdict=Verdict.FAIL,
            text=refusal.text,
            advice=refusal.advice,
            file=refusal.file,
            line=refusal.line,
            symbol=symbol_in(refusal.text),
        )
    return _pass(f"accepted, {reading.verified_instructions} instructions verified")


def enable(reading: AttachReading, policy: Policy, log: str) -> Outcome:
    """Is the policy in charge? Attaching without an error proves nothing.

    :param log: what the kernel logged since the guest was started.
    """
    before, after = reading.before, reading.after
    if before.state != "disabled":
        return _finding(Verdict.ERROR, f"the guest had a policy before: {before.state} {before.ops}")
    if reading.outcome != "attached":
        reason = exit_reason(log)
        text = f"{_OUTCOMES.get(reading.outcome, reading.outcome)}: {reason or _errno_words(reading.errno)}"
        return _finding(Verdict.FAIL, text, "" if reason else _ENABLE_ADVICE)
    wrong = in_charge(after, policy, seq=before.enable_seq + 1)
    if wrong is not None:
        reason = exit_reason(log)
        return _finding(wrong.verdict, wrong.text + (f": {reason}" if reason else ""), wrong.advice)
    return _pass(f"{policy.ops_name} is in charge after {reading.seconds:.2f} s")


def in_charge(state: SchedState, policy: Policy, *, seq: int) -> Outcome | None:
    """None when the policy schedules ordinary tasks, as its first and only enabling since the guest was started."""
    if state.state != "enabled":
        return _finding(Verdict.FAIL, f"it is not in charge: the kernel says {state.state}")
    if state.ops != policy.ops_name:
        text = f"another policy is in charge: {state.ops!r}, and policy.yaml says {policy.ops_name!r}"
        return _finding(Verdict.FAIL, text, "ops_name in policy.yaml must be .name of the source")
    if state.enable_seq != seq:
        return _finding(Verdict.FAIL, f"it was enabled {state.enable_seq - seq + 1} times where once was expected")
    if state.task_on_ext is None:
        return _finding(Verdict.INCONCLUSIVE, "whether ordinary tasks are on it could not be read")
    if not state.task_on_ext and not policy.capabilities.partial:
        text = "enabled, but ordinary tasks are not scheduled by it"
        return _finding(Verdict.FAIL, text, "drop SCX_OPS_SWITCH_PARTIAL, or declare `partial: true`")
    return None


def liveness(
    groups: tuple[LoadGroup, ...], reading: LoadReading, after: SchedState, policy: Policy, *, seq: int, log: str
) -> Outcome:
    """Did every task get to run in time, and is the policy still there?"""
    if emulator_fault(log):
        return _finding(Verdict.ERROR, "the emulator failed (int3); this says nothing about the policy", final=False)
    waits = tuple(_late(group, seen) for group, seen in zip(groups, reading.groups, strict=True))
    late = tuple(text for text in waits if text)
    wrong = in_charge(after, policy, seq=seq)
    if wrong is not None or reading.state_after != "enabled":
        return _lost(reading, late, wrong, log)
    if late and (reading.harness_jitter_ms > MAX_JITTER_MS or host_starved(log)):
        return _finding(Verdict.INCONCLUSIVE, f"{_starved(reading)}; seen: {late[0]}", final=False)
    if late:
        never = any(seen.never_ran for seen in reading.groups)
        return _finding(Verdict.FAIL, "; ".join(late), _STARVE_ADVICE, final=never)
    worst = max(reading.groups, key=lambda seen: seen.max_wait_ms)
    tasks = sum(group.count for group in groups)
    waited = f"longest wait {worst.max_wait_ms:.0f} ms ({worst.name})"
    return _pass(f"{tasks} tasks, {reading.duration_ms / 1000:.1f} s, {waited}")


def unload(reading: DetachReading, log: str) -> Outcome:
    """Did it go away when told to, and leave nothing?"""
    if not reading.was_attached:
        reason = exit_reason(log) or "the kernel log does not say why"
        return _finding(Verdict.FAIL, f"it had gone before it was told to: {reason}")
    if reading.state.state != "disabled":
        return _finding(Verdict.FAIL, f"told to go, the kernel still says {reading.state.state}")
    if reading.programs_left:
        return _finding(Verdict.FAIL, f"{reading.programs_left} of its programs are still loaded")
    if reading.seconds > MAX_UNLOAD_S:
        return _finding(Verdict.FAIL, f"it took {reading.seconds:.1f} s to go, at most {MAX_UNLOAD_S:g} s are allowed")
    return _pass(f"gone after {reading.seconds:.2f} s, nothing left")


def kernel_log(log: str) -> Outcome:
    """Did the kernel complain?"""
    if emulator_fault(log):
        return _finding(Verdict.ERROR, "the emulator failed (int3); this says nothing about the policy", final=False)
    found = splats(log)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return _finding(Verdict.FAIL, found[0] + more)
    if reason := exit_reason(log):
        return _finding(Verdict.FAIL, reason)
    return _pass("no complaint")


_OUTCOMES = {
    "attach-failed": "the kernel refused to attach it",
    "not-enabled": "attached without an error, and never enabled",
}
_ENABLE_ADVICE = (
    "usual causes: init returns an error, a parameter out of range, a name with other characters than letters, "
    "digits, _ and ., unknown ops flags, SCX_OPS_ENQ_LAST without enqueue"
)
_STARVE_ADVICE = (
    "every task that enqueue takes must be given out by dispatch on a CPU it may run on, and strict order needs ageing"
)


def _late(group: LoadGroup, seen: LoadGroupReading) -> str:
    who = f"{group.name} (nice {group.nice})" if group.nice else group.name
    limit = MAX_WAIT_NICED_MS if group.nice >= NICED else MAX_WAIT_MS
    if seen.never_ran:
        return f"{seen.never_ran} of {group.count} {who} never ran"
    if seen.affinity_violations:
        return f"{who} ran on a CPU it may not use"
    if seen.max_wait_ms > limit:
        return f"{who} waited {seen.max_wait_ms / 1000:.1f} s for a CPU, at most {limit / 1000:g} s are allowed"
    return ""


def _lost(reading: LoadReading, late: tuple[str, ...], wrong: Outcome | None, log: str) -> Outcome:
    """The tasks that waited are named beside the kernel's own reason, which names only one and not its kind."""
    if host_starved(log):
        return _finding(Verdict.INCONCLUSIVE, f"put out because the host starved the guest: {_starved(reading)}")
    reason = exit_reason(log) or (wrong.text if wrong else "the kernel log does not say why")
    text = "; ".join((*late, f"{_when_lost(reading)}: {reason}"))
    return _finding(Verdict.FAIL, text, _STARVE_ADVICE if late or "stall" in reason else "")


def _when_lost(reading: LoadReading) -> str:
    if reading.lost_after_ms:
        return f"lost after {reading.lost_after_ms / 1000:.1f} s of load"
    return "lost at the end of the load" if reading.state_after == "enabled" else "lost as soon as tasks came"


def _starved(reading: LoadReading) -> str:
    return f"the host was too busy: the guest's own watcher was {reading.harness_jitter_ms:.0f} ms late"


def _errno_words(number: int) -> str:
    name = errno.errorcode.get(number, "")
    return f"errno {number} ({name})" if name else "no reason given"


def _pass(text: str) -> Outcome:
    return Outcome(verdict=Verdict.PASS, text=text)


def _finding(verdict: Verdict, text: str, advice: str = "", *, final: bool = True) -> Outcome:
    return Outcome(verdict=verdict, text=text, advice=advice, final=final)
