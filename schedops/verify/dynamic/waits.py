"""Did the policy stay, and did every task get to run in time? Asked of every load, before anything else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from schedops.model.guest import LoadGroup, LoadGroupReading, LoadReading
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.limits import MAX_JITTER_MS, MAX_STOLEN, NEVER, NEVER_MS, Waits
from schedops.verify.dynamic.look import Look
from schedops.verify.exits import exit_advice
from schedops.verify.judge import EMULATOR_FAILED, Outcome, by_clock, ejection, failed, in_charge, passed, unknown
from schedops.verify.kernel_log import emulator_fault, exit_reason, host_starved
from schedops.verify.rule import Rule
from schedops.verify.stall_dump import stall_words


@dataclass(frozen=True, slots=True)
class Late:
    """A kind of task that did not get to run as it should.

    :param over_ms: how far over the limit; what the host stole explains no more than that.
    """

    rule: Rule
    text: str
    over_ms: float = inf


def survived(look: Look, limits: Waits) -> Outcome | None:
    """None when the policy is in charge before and after, the load ran to its end, and no task was late."""
    if emulator_fault(look.log):
        return unknown(Verdict.ERROR, EMULATOR_FAILED)
    late = lateness(look, limits)
    gone = lost(look, late)
    if gone is not None:
        return gone
    if nonsense := contradiction(look):
        return unknown(Verdict.ERROR, nonsense)
    proved = tuple(one for one in late if one.over_ms > look.reading.stolen_ms)
    if late and (starved_host(look) or not proved):
        return unproved(look, late[0].text)
    if late:
        worst = next((one for one in proved if one.rule is rules.NEVER_RAN), proved[0])
        return failed(worst.rule, "; ".join(one.text for one in late), worst.rule.fix, final=False)
    return None


def lived(look: Look, limits: Waits) -> Outcome:
    """The whole judgement of a load that asks for no more than that."""
    return survived(look, limits) or passed(summary(look))


def lost(look: Look, late: tuple[Late, ...] = ()) -> Outcome | None:
    """None while the policy is in charge. The tasks that waited are named: the kernel names one and not its kind."""
    wrong = in_charge(look.before, look.policy, seq=look.seq) or in_charge(look.after, look.policy, seq=look.seq)
    if wrong is None and look.reading.state_after == look.reading.state_before == "enabled":
        return None
    if wrong is not None and wrong.verdict is not Verdict.FAIL:
        return wrong
    reason = exit_reason(look.log)
    if (by_clock(reason) or host_starved(look.log)) and stood_still(look.reading):
        return unproved(look, f"{_when_lost(look)}: {reason or 'the kernel log does not say why'}")
    said = reason or (wrong.text if wrong else "the kernel log does not say why")
    text = "; ".join((*(one.text for one in late), f"{_when_lost(look)}: {said}"))
    if reason:
        # The watchdog is a kernel thread, which a policy can starve as well as a host: that has to show twice, and then
        # nobody has looked which task waited.
        blind = host_starved(look.log)
        rule, seen = ejection(reason), "" if blind else stall_words(look.dump)
        return failed(rule, f"{text}. {seen}" if seen else text, exit_advice(reason) or rule.fix, final=not blind)
    return Outcome(verdict=Verdict.FAIL, text=text, rule=wrong.rule if wrong else rules.STALL.id)


def lateness(look: Look, limits: Waits) -> tuple[Late, ...]:
    """The groups that waited too long, were never run, or ran where they may not."""
    pairs = zip(look.plan.groups, look.reading.groups, strict=True)
    whole_ms = max(NEVER * look.reading.duration_ms, NEVER_MS)
    return tuple(late for group, seen in pairs if (late := _late(group, seen, limits, whole_ms)) is not None)


def starved_host(look: Look) -> bool:
    """Nothing that was measured by the clock proves anything."""
    return stood_still(look.reading) or host_starved(look.log)


def stood_still(reading: LoadReading) -> bool:
    """The guest's own real-time tasks were late, on one CPU at least, at once or in sum."""
    return reading.harness_jitter_ms > MAX_JITTER_MS or reading.stolen_ms > MAX_STOLEN * reading.duration_ms


def unproved(look: Look, seen: str) -> Outcome:
    """What was seen would be a finding if the host had run the guest."""
    text = f"{_starved(look.reading)}; seen: {seen}"
    return unknown(Verdict.INCONCLUSIVE, text, starved=True)


def contradiction(look: Look) -> str:
    """What cannot be true of a load on these CPUs; empty when all may be. A guest's figures are not taken on faith."""
    reading, plan = look.reading, look.plan
    if reading.duration_ms < plan.duration_ms * 0.9:
        return f"the load ended after {reading.duration_ms:.0f} of {plan.duration_ms} ms with the policy in charge"
    if not any(sum(seen.cpu_ms) > 0 for seen in reading.groups):
        return "no task of the load used any CPU time, and none is said to have waited"
    return ""


def summary(look: Look) -> str:
    """What a load that went well was, in one line."""
    worst = max(look.reading.groups, key=lambda seen: seen.max_wait_ms)
    tasks = sum(group.count for group in look.plan.groups)
    waited = f"longest wait {worst.max_wait_ms:.0f} ms ({worst.name})"
    return f"{tasks} tasks, {look.reading.duration_ms / 1000:.1f} s, {waited}"


def _late(group: LoadGroup, seen: LoadGroupReading, limits: Waits, whole_ms: float) -> Late | None:
    who = f"{group.name} (nice {group.nice})" if group.nice else group.name
    limit = limits.of(group)
    if seen.never_ran and seen.max_wait_ms >= whole_ms:
        return Late(rules.NEVER_RAN, f"{seen.never_ran} of {group.count} {who} never ran")
    if seen.affinity_violations:
        return Late(rules.AFFINITY, f"{who} ran on a CPU it may not use")
    if seen.max_wait_ms > limit:
        text = f"{who} waited {seen.max_wait_ms / 1000:.1f} s for a CPU, at most {limit / 1000:g} s are allowed"
        return Late(rules.STARVED, text, seen.max_wait_ms - limit)
    return None


def _when_lost(look: Look) -> str:
    reading = look.reading
    if look.before.state != "enabled":
        return "lost before the load began"
    if reading.lost_after_ms:
        return f"lost after {reading.lost_after_ms / 1000:.1f} s of load"
    return "lost at the end of the load" if reading.state_after == "enabled" else "lost as soon as tasks came"


def _starved(reading: LoadReading) -> str:
    late = f"{reading.harness_jitter_ms:.0f} ms late, {reading.stolen_ms:.0f} ms in sum"
    return f"the host was too busy: the guest's own real-time tasks were {late}"
