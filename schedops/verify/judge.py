"""What a guest says about loading, being in charge and leaving, to findings. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

from schedops.model.guest import AttachReading, DetachReading, SchedState
from schedops.model.policy import Policy
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import rules_charge as rules
from schedops.verify.dynamic import rules_load
from schedops.verify.dynamic.limits import MAX_UNLOAD_S
from schedops.verify.exits import STALL, exit_advice
from schedops.verify.kernel_log import complains_of_time, emulator_fault, exit_reason, splats
from schedops.verify.rule import Rule
from schedops.verify.verifier_log import read_refusal, symbol_in

EMULATOR_FAILED = "the emulator failed (int3); this says nothing about the policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one stage came to.

    :param rule: the rule that was broken; empty when nothing was.
    :param file: place in the source as the object names it; *line* 0 when there is none.
    :param symbol: a name to look up in the source when there is no line.
    :param final: repeating the stage would not change it.
    :param starved: nothing is proved because CPUs of the guest stood still, by the guest's own tickers.
    :param timed: a clock said so, and nobody watched whether the host ran the guest: it has to show in another guest.
    """

    verdict: Verdict
    text: str
    rule: str = ""
    advice: str = ""
    file: str = ""
    line: int = 0
    symbol: str = ""
    final: bool = True
    starved: bool = False
    timed: bool = False


def load(reading: AttachReading) -> Outcome:
    """Did the verifier accept every program?"""
    if reading.outcome in ("open-failed", "load-failed"):
        refusal = read_refusal(reading.log)
        return Outcome(
            verdict=Verdict.FAIL,
            text=refusal.text,
            rule=rules.VERIFIER_REFUSED.id,
            advice=refusal.advice,
            file=refusal.file,
            line=refusal.line,
            symbol=symbol_in(refusal.text),
        )
    return passed(f"accepted, {reading.verified_instructions} instructions verified")


def enable(reading: AttachReading, policy: Policy, log: str) -> Outcome:
    """Is the policy in charge? Attaching without an error proves nothing.

    :param log: what the kernel logged since the guest was started.
    """
    before, after = reading.before, reading.after
    if before.state != "disabled":
        return unknown(Verdict.ERROR, f"the guest had a policy before: {before.state} {before.ops}")
    if reading.outcome != "attached":
        reason = exit_reason(log)
        text = f"{_OUTCOMES.get(reading.outcome, reading.outcome)}: {reason or _errno_words(reading.errno)}"
        if reason:
            return failed(rules.EJECTED, text, exit_advice(reason), timed=by_clock(reason))
        return replace(_never_enabled(text), timed=reading.errno in _OUT_OF_TIME)
    wrong = in_charge(after, policy, seq=before.enable_seq + 1)
    if wrong is not None:
        reason = exit_reason(log)
        text = f"{wrong.text}: {reason}"
        return failed(rules.EJECTED, text, exit_advice(reason), timed=by_clock(reason)) if reason else wrong
    return passed(f"{policy.ops_name} is in charge after {reading.seconds:.2f} s")


def in_charge(state: SchedState, policy: Policy, *, seq: int) -> Outcome | None:
    """None when the policy schedules ordinary tasks, and was enabled as often as we did it and not more."""
    if state.state != "enabled":
        return failed(rules.NOT_IN_CHARGE, f"it is not in charge: the kernel says {state.state}")
    if state.ops != policy.ops_name:
        text = f"another policy is in charge: {state.ops!r}, and policy.yaml says {policy.ops_name!r}"
        return failed(rules.WRONG_NAME, text, "ops_name in policy.yaml must be .name of the source")
    if state.enable_seq != seq:
        text = f"it was enabled {state.enable_seq - seq + 1} times where once was expected"
        return failed(rules.NOT_IN_CHARGE, text)
    if state.task_on_ext is None:
        return unknown(Verdict.INCONCLUSIVE, "whether ordinary tasks are on it could not be read")
    if not state.task_on_ext and not policy.capabilities.partial:
        text = "enabled, but ordinary tasks are not scheduled by it"
        return failed(rules.NOT_IN_CHARGE, text, "drop SCX_OPS_SWITCH_PARTIAL, or declare `partial: true`")
    return None


def unload(reading: DetachReading, log: str) -> Outcome:
    """Did it go away when told to, and leave nothing?"""
    if not reading.was_attached:
        reason = exit_reason(log)
        text = f"it had gone before it was told to: {reason or 'the kernel log does not say why'}"
        return failed(ejection(reason) if reason else rules.UNLOAD, text, timed=by_clock(reason))
    return left(reading) or passed(f"gone after {reading.seconds:.2f} s, nothing left")


def reload(reading: AttachReading, policy: Policy, log: str) -> Outcome:
    """Does it take charge a second time in the guest in which it was detached?

    :param log: what the kernel logged since then.
    """
    first = load(reading)
    again = enable(reading, policy, log) if first.verdict is Verdict.PASS else first
    if again.verdict is not Verdict.FAIL:
        return again
    return failed(rules.RELOAD, f"attached a second time: {again.text}", again.advice, timed=again.timed)


def kernel_log(log: str, log_of_leaving: str = "", *, release: str = "", today: str = "") -> Outcome:
    """Did the kernel complain?

    :param log_of_leaving: the part in which the policy was allowed to be put out.
    :param release: of the kernel, and *today* (ISO 8601): some splats are allowed on some kernels for some time.
    """
    if emulator_fault(log + log_of_leaving):
        return unknown(Verdict.ERROR, EMULATOR_FAILED)
    found = splats(log + log_of_leaving, release=release, today=today)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return failed(rules.KERNEL_COMPLAINT, found[0] + more, timed=all(map(complains_of_time, found)))
    if reason := exit_reason(log):
        return failed(ejection(reason), reason, exit_advice(reason), timed=by_clock(reason))
    return passed("no complaint")


def ejection(reason: str) -> Rule:
    """The rule that stands for the kernel's reason."""
    return rules_load.STALL if STALL in reason else rules.EJECTED


def by_clock(reason: str) -> bool:
    """The kernel put it out because time went by, and a host that does not run the guest lets it go by as well."""
    return any(words in reason for words in (STALL, "stall", "lockup", "failed to check in", "failed to run"))


def passed(text: str) -> Outcome:
    """All well."""
    return Outcome(verdict=Verdict.PASS, text=text)


def failed(rule: Rule, text: str, advice: str = "", *, final: bool = True, timed: bool = False) -> Outcome:
    """A rule is broken."""
    return Outcome(verdict=Verdict.FAIL, text=text, rule=rule.id, advice=advice, final=final, timed=timed)


def unknown(verdict: Verdict, text: str, *, rule: Rule = rules.NOT_MEASURED, starved: bool = False) -> Outcome:
    """Nothing is proved; a second look may."""
    return Outcome(verdict=verdict, text=text, rule=rule.id, advice=rule.fix, final=False, starved=starved)


_OUT_OF_TIME = (errno.ETIMEDOUT, errno.EINTR, errno.EAGAIN)
_OUTCOMES = {
    "attach-failed": "the kernel refused to attach it",
    "not-enabled": "attached without an error, and never enabled",
}
_ENABLE_ADVICE = (
    "usual causes: init returns an error, a parameter out of range, a name with other characters than letters, "
    "digits, _ and ., unknown ops flags, SCX_OPS_ENQ_LAST without enqueue"
)


def _never_enabled(text: str) -> Outcome:
    return failed(rules.NOT_IN_CHARGE, text, _ENABLE_ADVICE)


def left(reading: DetachReading) -> Outcome | None:
    """None when nothing of a policy that was lost, or told to go, is still there."""
    if reading.state.state != "disabled":
        text = f"told to go, the kernel still says {reading.state.state}"
        return failed(rules.UNLOAD, text, timed=True)
    if reading.programs_left:
        return failed(rules.UNLOAD, f"{reading.programs_left} of its programs are still loaded")
    if reading.seconds > MAX_UNLOAD_S:
        text = f"it took {reading.seconds:.1f} s to go, at most {MAX_UNLOAD_S:g} s are allowed"
        return failed(rules.UNLOAD, text, timed=True)
    return None


def _errno_words(number: int) -> str:
    name = errno.errorcode.get(number, "")
    return f"errno {number} ({name})" if name else "no reason given"
