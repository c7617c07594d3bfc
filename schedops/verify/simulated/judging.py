"""What a simulated run shows, to findings: the questions of the loads in guests, in simulated time. Pure.

Nobody stops a simulated CPU: what is seen is true of this policy on this machine, and needs no second look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from schedops.model.guest import LoadGroup
from schedops.model.policy import PolicySource
from schedops.model.simulation import SimPlan, SimResult, SimVerdict, TaskResult, bucket_bounds
from schedops.model.verification import Finding, Place
from schedops.verify import judge, places
from schedops.verify.dynamic import limits, loads
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.shares import jain
from schedops.verify.exits import exit_advice, kind_of
from schedops.verify.rule import Rule
from schedops.verify.simulated import cases
from schedops.verify.simulated.cases import Case
from schedops.verify.simulated.plans import BRIEF_NS, DESIGNED_FOR
from schedops.verify.simulated.rules import FAULT

_MS_NS = 1e6


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a run broke."""

    rule: Rule
    text: str
    advice: str = ""
    place: str = ""  # file:line, where it is known


@dataclass(frozen=True, slots=True)
class Seen:
    """One run that came to its end; the tasks of each group in the order of the plan."""

    case: Case
    plan: SimPlan
    result: SimResult

    def group(self, name: str) -> tuple[TaskResult, ...]:
        """What became of its tasks, children included."""
        label = self.plan.labels.index(name)
        pairs = zip(self.plan.tasks, self.result.tasks, strict=True)
        return tuple(done for task, done in pairs if task.label == label)

    def cpu_ms(self, name: str) -> list[float]:
        """Of each task of a group."""
        return [done.cpu_ns / _MS_NS for done in self.group(name)]


def problem_of(case: Case, plan: SimPlan, result: SimResult) -> Problem | None:
    """The first thing that is wrong; None: nothing, or nobody can tell (:func:`unsaid`)."""
    end = result.end
    if end.verdict == SimVerdict.EJECTED:
        return None if _refused(case, result) else _ejected(result)
    if end.verdict == SimVerdict.FAULT:
        return Problem(FAULT, end.message, FAULT.fix, end.place)
    if end.verdict != SimVerdict.DONE:
        return None
    seen = Seen(case, plan, result)
    return _late(seen) or next((found for ask in case.asks if (found := _ASKS[ask](seen)) is not None), None)


def unsaid(result: SimResult) -> str:
    """Why a run says nothing; empty when it says something."""
    if result.end.verdict in (SimVerdict.EJECTED, SimVerdict.FAULT):
        return ""
    if result.end.verdict == SimVerdict.DONE:  # with nothing to say, unless the policy had no task at all
        return result.end.message
    return result.end.message or result.end.verdict


def refusal(case: Case, result: SimResult) -> str:
    """It does not start on this machine, and may have its reasons: tables for so many CPUs. Empty: it does."""
    return result.end.message if result.end.verdict == SimVerdict.EJECTED and _refused(case, result) else ""


def _refused(case: Case, result: SimResult) -> bool:
    # On as many CPUs as the guests have it has to start.
    return result.end_ns == 0 and case.cpus != DESIGNED_FOR


def _ejected(result: SimResult) -> Problem:
    end, kind = result.end, kind_of(result.end.kind)
    rule = judge.ejection(end.message)
    after = f"after {result.end_ns / 1e9:.1f} s" if result.end_ns else "as it began"
    said = end.message if end.message.startswith(kind.says) else f"{kind.says}: {end.message}"
    return Problem(rule, f"{kind.words} {after} ({said})", exit_advice(end.message) or rule.fix, end.place)


def finding_of(found: Problem, case: Case, more: str, source: PolicySource, advice: str = "") -> Finding:
    """As it is reported."""
    file, _, line = found.place.rpartition(":")
    outcome = judge.failed(found.rule, f"{case}: {found.text}{more}")
    at = Place(file=file, line=int(line)) if file and line.isdigit() else None
    return Finding(
        rule=found.rule.id,
        level="error",
        text=outcome.text,
        place=places.of_line(at, source) if at else None,
        advice=". ".join(part.rstrip(".") for part in (found.advice, advice) if part),
    )


def longest_wait(case: Case, plan: SimPlan, result: SimResult) -> tuple[float, str]:
    """In ms, and whose."""
    seen = Seen(case, plan, result)
    return max((max(done.max_wait_ns for done in seen.group(group.name)) / _MS_NS, group.name) for group in _of(seen))


def _of(seen: Seen) -> Sequence[LoadGroup]:
    return seen.case.load.groups


def _late(seen: Seen) -> Problem | None:
    found = [late for group in _of(seen) if (late := _late_group(seen, group)) is not None]
    if not found:
        return None
    worst = next((one for one in found if one.rule is rules.NEVER_RAN), found[0])
    return Problem(worst.rule, "; ".join(one.text for one in found), worst.rule.fix)


def _late_group(seen: Seen, group: LoadGroup) -> Problem | None:
    done = seen.group(group.name)
    who = f"{group.name} (nice {group.nice})" if group.nice else group.name
    whole_ms = max(limits.NEVER * seen.case.load.duration_ms, limits.NEVER_MS)
    if group.nice >= limits.NICED:  # by weight it may have to wait for so long
        whole_ms = max(whole_ms, seen.case.waits.niced_ms)
    never = sum(one.cpu_ns < BRIEF_NS and one.max_wait_ns / _MS_NS >= whole_ms for one in done)
    if never:
        return Problem(rules.NEVER_RAN, f"{never} of {len(done)} {who} never ran")
    longest_ms = max(one.max_wait_ns for one in done) / _MS_NS
    if longest_ms > seen.case.waits.of(group):
        limit = seen.case.waits.of(group) / 1000
        text = f"{who} waited {longest_ms / 1000:.1f} s for a CPU, at most {limit:g} s are allowed"
        return Problem(rules.STARVED, text)
    return None


def _equal(seen: Seen) -> Problem | None:
    return _at_least(seen, limits.MIN_JAIN)


def _about_equal(seen: Seen) -> Problem | None:
    return _at_least(seen, limits.MIN_JAIN_CROWD)


def _at_least(seen: Seen, least: float) -> Problem | None:
    times = seen.cpu_ms(loads.EQUAL)
    index = jain(times)
    if index >= least:
        return None
    text = (
        f"{len(times)} equal hogs got between {min(times):.0f} and {max(times):.0f} ms of CPU time "
        f"(Jain's index {index:.2f}, at least {least:.2f} is expected)"
    )
    return _problem(rules.UNFAIR_EQUAL, text)


def _used(seen: Seen) -> Problem | None:
    used = sum(cpu.busy_ns for cpu in seen.result.cpus) / (seen.result.end_ns * seen.case.cpus)
    if used >= limits.MIN_CPU_USED:
        return None
    text = (
        f"{len(seen.cpu_ms(loads.EQUAL))} hogs used {used:.0%} of {seen.case.cpus} CPUs, at least "
        f"{limits.MIN_CPU_USED:.0%} is expected: CPUs idled while tasks waited"
    )
    return _problem(rules.NOT_WORK_CONSERVING, text)


def _served(seen: Seen) -> Problem | None:
    for group in _of(seen):
        used = sum(seen.cpu_ms(group.name)) / seen.case.load.duration_ms
        if used < limits.MIN_CPU_USED:
            text = (
                f"{group.count} {group.name} used {used:.0%} of it, at least {limits.MIN_CPU_USED:.0%} is expected: "
                "it idled while they waited, since no other kind of task was there"
            )
            return _problem(rules.NOT_WORK_CONSERVING, text)
    return None


def _upside_down(seen: Seen) -> Problem | None:
    usual = median(seen.cpu_ms(loads.HOGS))
    favoured, niced = (median(seen.cpu_ms(name)) for name in (loads.FAVOURED, loads.VERY_NICED))
    if niced <= limits.MAX_UPSIDE_DOWN * usual or favoured * limits.MAX_UPSIDE_DOWN >= usual:
        return None
    text = (
        f"hogs of nice 0 got {usual:.0f} ms of CPU time, favoured ones {favoured:.0f} ms and very niced ones "
        f"{niced:.0f} ms: nice works the wrong way round"
    )
    return _problem(rules.UNFAIR_WEIGHT, text)


def _answered(seen: Seen) -> Problem | None:
    counts = seen.result.labels[seen.plan.labels.index(loads.AWAKE)].wakeup.counts
    left = sum(count for _, count in counts) * 0.99
    for bucket, count in counts:
        left -= count
        if left <= 0:
            p99_us = bucket_bounds(bucket)[0] / 1000
            break
    else:
        return None
    if p99_us <= limits.MAX_WAKE_P99_US:
        return None
    text = f"1 % of the sleepers' wake-ups among hogs took {p99_us / 1e6:.2f} s or more, 0.52 s at most is expected"
    return _problem(rules.LATENCY, text)


def _by_nice(seen: Seen) -> Problem | None:
    return _weighted(seen, loads.NICE_0, loads.NICE_5)


def _by_weight(seen: Seen) -> Problem | None:
    return _weighted(seen, loads.HEAVY, loads.LIGHT)


def _weighted(seen: Seen, heavy: str, light: str) -> Problem | None:
    measured = _ratio(seen, heavy, light)
    if limits.MIN_WEIGHT_RATIO <= measured <= limits.MAX_WEIGHT_RATIO:
        return None
    text = (
        f"it declares weights, and {heavy} got {measured:.2f} times the CPU time of {light}; by weight it is 3, "
        f"accepted is {limits.MIN_WEIGHT_RATIO:.1f} to {limits.MAX_WEIGHT_RATIO:.1f}"
    )
    return _problem(rules.UNFAIR_WEIGHT, text)


def _not_against(seen: Seen) -> Problem | None:
    measured = _ratio(seen, loads.HEAVY, loads.LIGHT)
    if measured * limits.MAX_UPSIDE_DOWN >= 1:
        return None
    text = f"{loads.HEAVY} got {measured:.2f} times the CPU time of {loads.LIGHT}: the weights work the wrong way round"
    return _problem(rules.UNFAIR_WEIGHT, text)


def _ratio(seen: Seen, heavy: str, light: str) -> float:
    return sum(seen.cpu_ms(heavy)) / max(sum(seen.cpu_ms(light)), 1.0)


def _problem(rule: Rule, text: str) -> Problem:
    return Problem(rule, text, rule.fix)


_ASKS: dict[str, Callable[[Seen], Problem | None]] = {
    cases.EQUAL: _equal,
    cases.ABOUT_EQUAL: _about_equal,
    cases.USED: _used,
    cases.SERVED: _served,
    cases.UPSIDE_DOWN: _upside_down,
    cases.ANSWERED: _answered,
    cases.BY_NICE: _by_nice,
    cases.BY_WEIGHT: _by_weight,
    cases.NOT_AGAINST: _not_against,
}
