"""Going when told to, coming back, and living through a CPU that goes: the stages around the end of a policy."""

from __future__ import annotations

from schedops.model.verdict import Verdict
from schedops.verify import judge
from schedops.verify.dynamic import limits, loads, waits
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.blame import settled
from schedops.verify.dynamic.look import DETACH_S, Look, Session
from schedops.verify.judge import Outcome, failed, passed, unknown
from schedops.verify.kernel_log import exit_reason

_RESTART = "unregistered from the main kernel"
_CALLBACKS = ("cpu_online", "cpu_offline")


def unload(session: Session) -> Outcome:
    """Told to go."""
    reading = session.guest.detach(deadline_s=DETACH_S)
    session.read_log()
    return judge.unload(reading, session.log)


def unload_and_return(session: Session) -> Outcome:
    """Told to go, and attached once more."""
    gone = unload(session)
    if gone.verdict is not Verdict.PASS:
        return gone
    again = _attach(session)
    if again.verdict is not Verdict.PASS:
        return again
    session.fresh = True
    return passed(f"{gone.text}; back in charge when attached again")


def hotplug(session: Session) -> Outcome:
    """The last CPU goes and comes back under load, with the policy attached anew."""
    if session.cpus < 2:
        return unknown(Verdict.INCONCLUSIVE, "a machine with one CPU cannot lose any")
    return settled(session, lambda: _hotplug(session))


def kernel_log(session: Session) -> Outcome:
    """All that was logged since the last attaching, and the splats of the time before."""
    session.read_log()
    return judge.kernel_log(session.log, session.earlier_log, release=session.release, today=session.today)


def _attach(session: Session) -> Outcome:
    reading = session.attach()
    return judge.reload(reading, session.policy, session.log)


def _hotplug(session: Session) -> Outcome:
    if not session.fresh:
        again = _attach(session)
        if again.verdict is not Verdict.PASS:
            return again
    session.fresh = False
    stays = session.policy.capabilities.hotplug or any(name in session.callbacks for name in _CALLBACKS)
    look = session.look(loads.hotplug(session.cpus, stays=stays))
    gone = session.guest.detach(deadline_s=DETACH_S)
    session.read_log()
    wrong = _judged(look, declared=session.policy.capabilities.hotplug) or judge.left(gone)
    if wrong is None and not _stayed(look):
        session.earlier_log, session.log = session.earlier_log + session.log, ""
    return wrong or passed(_summary(look))


def _judged(look: Look, *, declared: bool) -> Outcome | None:
    if not declared and not _stayed(look) and _RESTART in exit_reason(look.log):
        return judge.in_charge(look.before, look.policy, seq=look.seq)
    outcome = waits.survived(look, limits.FEW)
    if outcome is None and look.reading.hotplug_failed:
        return unknown(Verdict.INCONCLUSIVE, "the kernel did not take the CPU away, or did not bring it back")
    if outcome is None or outcome.verdict is not Verdict.FAIL:
        return outcome
    return failed(rules.HOTPLUG, f"{_when(look)}: {outcome.text}", rules.HOTPLUG.fix, final=outcome.final)


def _when(look: Look) -> str:
    back_ms = max((step.at_ms for step in look.plan.hotplug), default=0)
    gone = 0 < look.reading.lost_after_ms < back_ms
    return "a CPU went" if gone else "a CPU went and came back"


def _stayed(look: Look) -> bool:
    return look.reading.state_after == look.after.state == "enabled"


def _summary(look: Look) -> str:
    if not _stayed(look):
        return "left for a restart when a CPU went, as the kernel has it for policies without hotplug callbacks"
    return f"stayed while a CPU went and came back: {waits.summary(look)}"
