"""Going when told to, coming back, and living through a CPU that goes: the stages around the end of a policy."""

from __future__ import annotations

from schedops.model.verdict import Verdict
from schedops.verify import judge
from schedops.verify.dynamic import limits, loads, waits
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.look import ATTACH_S, DETACH_S, Look, Session, settle
from schedops.verify.judge import Outcome, failed, passed, unknown
from schedops.verify.kernel_log import exit_reason, host_starved

_RESTART = "unregistered from the main kernel"
_CALLBACKS = ("cpu_online", "cpu_offline")


def unload(session: Session) -> Outcome:
    """Told to go."""
    reading = session.guest.detach(deadline_s=DETACH_S)
    session.read_log()
    return judge.unload(reading, session.log)


def unload_and_return(session: Session) -> Outcome:
    """Told to go, attached once more, and told to go again."""
    gone = unload(session)
    if gone.verdict is not Verdict.PASS:
        return gone
    again = _attach(session)
    if again.verdict is not Verdict.PASS:
        return again
    session.attached_again = True
    return passed(f"{gone.text}; back in charge when attached again")


def hotplug(session: Session) -> Outcome:
    """The last CPU goes and comes back under load, with the policy attached anew."""
    if session.cpus < 2:
        return unknown(Verdict.INCONCLUSIVE, "a machine with one CPU cannot lose any")
    return settle(lambda: _hotplug(session), session.note)


def kernel_log(session: Session) -> Outcome:
    """All that was logged, from the first attaching to the last word."""
    session.read_log()
    return judge.kernel_log(session.log, session.log_of_leaving, release=session.release, today=session.today)


def _attach(session: Session) -> Outcome:
    reading = session.guest.attach(session.elf, deadline_s=ATTACH_S)
    log = session.guest.kernel_log()
    session.log += log
    session.seq = reading.after.enable_seq
    return judge.reload(reading, session.policy, log)


def _hotplug(session: Session) -> Outcome:
    if not session.attached_again:
        again = _attach(session)
        if again.verdict is not Verdict.PASS:
            return again
    session.attached_again = False
    stays = session.policy.capabilities.hotplug or any(name in session.callbacks for name in _CALLBACKS)
    before = session.log
    look = session.look(loads.hotplug(session.cpus, stays=stays))
    log = session.log.removeprefix(before)
    session.log, session.log_of_leaving = before, session.log_of_leaving + log
    gone = session.guest.detach(deadline_s=DETACH_S)
    session.log_of_leaving += session.guest.kernel_log()
    wrong = _judged(look, log, declared=session.policy.capabilities.hotplug) or judge.left(gone)
    return wrong or passed(_summary(look, log))


def _judged(look: Look, log: str, *, declared: bool) -> Outcome | None:
    """:param log: what the kernel logged during the load."""
    if look.reading.hotplug_failed:
        return unknown(Verdict.INCONCLUSIVE, "the kernel did not take the CPU away, or did not bring it back")
    wrong = judge.in_charge(look.before, look.policy, seq=look.seq)
    if wrong is not None:
        return wrong
    reason = exit_reason(log)
    left = look.reading.state_after != "enabled" or look.after.state != "enabled"
    if left and _RESTART in reason and not declared:
        return None
    if left and not host_starved(log):
        said = reason or "the kernel log does not say why"
        late = "; ".join(one.text for one in waits.lateness(look, limits.FEW))
        text = f"a CPU went{' and came back' if look.reading.lost_after_ms > _back_ms(look) else ''}: {said}"
        return failed(rules.HOTPLUG, "; ".join(part for part in (text, late) if part), rules.HOTPLUG.fix)
    survived = waits.survived(look, limits.FEW)
    if survived is None or survived.verdict is not Verdict.FAIL:
        return survived
    return failed(rules.HOTPLUG, f"a CPU went and came back: {survived.text}", rules.HOTPLUG.fix, final=survived.final)


def _back_ms(look: Look) -> int:
    return max((step.at_ms for step in look.plan.hotplug), default=0)


def _summary(look: Look, log: str) -> str:
    if look.after.state != "enabled" or _RESTART in exit_reason(log):
        return "left for a restart when a CPU went, as the kernel has it for policies without hotplug callbacks"
    return f"stayed while a CPU went and came back: {waits.summary(look)}"
