"""Whose doing is it that the guest's CPUs stand still: the host's, or the policy's?

A policy that keeps CPUs in the kernel with interrupts off makes the guest's real-time tasks late as a busy host does.
So the same load is run on the kernel's own scheduler, in turns with the policy: it is the policy's doing only when
CPUs stood still every time with it, and never without it.
"""

from __future__ import annotations

from collections.abc import Callable

from schedops.model.verdict import Verdict
from schedops.verify.dynamic.limits import QUIET_JITTER_MS
from schedops.verify.dynamic.look import Session, settle
from schedops.verify.dynamic.rules_charge import HOLDS_CPUS
from schedops.verify.dynamic.waits import stood_still
from schedops.verify.judge import Outcome, failed

_TURNS = 3


def settled(session: Session, look: Callable[[], Outcome]) -> Outcome:
    """As :func:`settle`; what stays undecided because CPUs stood still is looked at without the policy as well."""
    outcome = settle(look, session.note)
    return _held_up(session, look, outcome) if outcome.starved else outcome


def _held_up(session: Session, look: Callable[[], Outcome], outcome: Outcome) -> Outcome:
    quietest = 0.0
    for _ in range(_TURNS):
        if session.last is None or not stood_still(session.last.reading):
            return outcome
        session.note(f"{outcome.text}; the same without the policy")
        without = session.without_policy(session.last.plan)
        quietest = max(quietest, without.harness_jitter_ms)
        if quietest > QUIET_JITTER_MS:
            return outcome
        again = look()
        if again.final and again.verdict is Verdict.FAIL:
            return again
        if not again.starved or not stood_still(session.last.reading):
            return outcome
    text = f"{outcome.text}; without the policy at most {quietest:.0f} ms, {_TURNS} times in turns"
    return failed(HOLDS_CPUS, text, HOLDS_CPUS.fix)
