"""Who got how much CPU time, and was any left unused while tasks waited? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from schedops.model.guest import LoadGroupReading
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits, loads
from schedops.verify.dynamic import rules_load as rules
from schedops.verify.dynamic.look import Look
from schedops.verify.dynamic.waits import starved_host, unproved
from schedops.verify.judge import Outcome, failed, unknown
from schedops.verify.rule import Rule

_FAR = 3.0
_EVERYWHERE = 2  # what is known is the worst CPU's


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 when all are equal, 1/n when one has it all, 0 when there is nothing."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 0.0


def equal(look: Look, least: float) -> Outcome | None:
    """None when the equal hogs of a load got about the same.

    A host that stops an emulated CPU gives the task on it time that it could not use; so one that is far above the
    median is taken for one that is a little above it. A policy that favours the few has a median near zero.
    """
    times = _group(look, loads.EQUAL).cpu_ms
    index = _capped_jain(times)
    if index >= least:
        return None
    text = (
        f"{len(times)} equal hogs got between {min(times):.0f} and {max(times):.0f} ms of CPU time "
        f"(Jain's index {index:.2f}, at least {least:.2f} is expected)"
    )
    best = _given_back(times, look.reading.stolen_ms * _EVERYWHERE)
    return _finding(look, rules.UNFAIR_EQUAL, text, sure=_capped_jain(best) < least)


def _capped_jain(times: Sequence[float]) -> float:
    return jain([min(time, _FAR * median(times)) for time in times] if median(times) > 0 else times)


def _given_back(times: Sequence[float], stolen_ms: float) -> list[float]:
    """Without what the host stole: whoever was on the CPU was charged for it, at worst those that have most."""
    left, middle = sorted(times, reverse=True), median(times)
    for at, time in enumerate(left):
        take = min(stolen_ms, max(time - middle, 0.0))
        left[at], stolen_ms = time - take, stolen_ms - take
    return left


def conserving(look: Look, cpus: int) -> Outcome | None:
    """None when all CPUs were used, with more runnable tasks than CPUs all the time."""
    used = cpu_used(look, cpus)
    if used >= limits.MIN_CPU_USED:
        return None
    hogs = len(_group(look, loads.EQUAL).cpu_ms)
    text = (
        f"{hogs} hogs that started on one CPU used {used:.0%} of {cpus} CPUs, at least {limits.MIN_CPU_USED:.0%} is "
        "expected: CPUs idled while tasks waited"
    )
    return _finding(look, rules.NOT_WORK_CONSERVING, text, sure=used + _stolen(look) < limits.MIN_CPU_USED)


def each_served(look: Look) -> Outcome | None:
    """None when each group, bound to a CPU of its own and always ready, used that CPU."""
    for seen in look.reading.groups:
        used = sum(seen.cpu_ms) / look.reading.duration_ms
        if used < limits.MIN_CPU_USED:
            text = (
                f"{len(seen.cpu_ms)} {seen.name} used {used:.0%} of it, at least {limits.MIN_CPU_USED:.0%} is "
                "expected: it idled while they waited, since no other kind of task was there"
            )
            return _finding(look, rules.NOT_WORK_CONSERVING, text, sure=used + _stolen(look) < limits.MIN_CPU_USED)
    return None


def upside_down(look: Look, *names: str) -> Outcome | None:
    """None unless the very niced hog gets much more, and the favoured one much less, than those between.

    Whoever does not declare weights owes nobody a ratio. That nice works the wrong way round is another thing.

    :param names: of the groups between, favoured and very niced; the mix's unless given.
    """
    between, *extremes = names or (loads.HOGS, loads.FAVOURED, loads.VERY_NICED)
    usual = median(_group(look, between).cpu_ms)
    favoured, niced = (max(_group(look, name).cpu_ms) for name in extremes)
    if niced <= limits.MAX_UPSIDE_DOWN * usual or favoured * limits.MAX_UPSIDE_DOWN >= usual:
        return None
    text = (
        f"hogs of nice 0 got {usual:.0f} ms of CPU time, a favoured one {favoured:.0f} ms and a very niced one "
        f"{niced:.0f} ms: nice works the wrong way round"
    )
    return _finding(look, rules.UNFAIR_WEIGHT, text)


def cpu_used(look: Look, cpus: int) -> float:
    """Share of all CPU time that the load's tasks had."""
    return sum(sum(seen.cpu_ms) for seen in look.reading.groups) / (look.reading.duration_ms * cpus)


def answered(look: Look) -> Outcome | None:
    """None when the sleepers among the hogs were answered in time."""
    p99_us = _group(look, loads.AWAKE).wake_p99_us
    if p99_us <= 0:
        return unknown(Verdict.INCONCLUSIVE, "no wake-up of a sleeper was measured")
    if p99_us <= limits.MAX_WAKE_P99_US:
        return None
    text = f"1 % of the sleepers' wake-ups among hogs took {p99_us / 1e6:.2f} s or more, 0.52 s at most is expected"
    return _finding(look, rules.LATENCY, text)


def weighted(look: Look, heavy: str, light: str) -> Outcome | None:
    """None when the heavier group got more by about as much as its weight says."""
    measured = ratio(look, heavy, light)
    if limits.MIN_WEIGHT_RATIO <= measured <= limits.MAX_WEIGHT_RATIO:
        return None
    count = sum(group.count for group in look.plan.groups)
    text = (
        f"it declares weights, and of {count} tasks on one CPU {heavy} got {measured:.2f} times the CPU time of "
        f"{light}; by weight it is 3, accepted is {limits.MIN_WEIGHT_RATIO:.1f} to {limits.MAX_WEIGHT_RATIO:.1f}"
    )
    # All that was stolen was charged to one of them, at worst to the other one.
    stolen_ms, lights = look.reading.stolen_ms, sum(_group(look, light).cpu_ms)
    least = measured - stolen_ms / max(lights, 1.0)
    most = measured * lights / max(lights - stolen_ms, 1.0)
    sure = most < limits.MIN_WEIGHT_RATIO or least > limits.MAX_WEIGHT_RATIO
    return _finding(look, rules.UNFAIR_WEIGHT, text, sure=sure)


def against(look: Look, heavy: str, light: str) -> Outcome | None:
    """None unless the heavier group got much less."""
    measured = ratio(look, heavy, light)
    if measured * limits.MAX_UPSIDE_DOWN >= 1:
        return None
    text = f"{heavy} got {measured:.2f} times the CPU time of {light}: the weights work the wrong way round"
    most = (sum(_group(look, heavy).cpu_ms) + look.reading.stolen_ms) / max(sum(_group(look, light).cpu_ms), 1.0)
    return _finding(look, rules.UNFAIR_WEIGHT, text, sure=most * limits.MAX_UPSIDE_DOWN < 1)


def _stolen(look: Look) -> float:
    """Share of the load's time."""
    return look.reading.stolen_ms / look.reading.duration_ms


def ratio(look: Look, heavy: str, light: str) -> float:
    """CPU time of one group to that of another."""
    return sum(_group(look, heavy).cpu_ms) / max(sum(_group(look, light).cpu_ms), 1.0)


def _finding(look: Look, rule: Rule, text: str, *, sure: bool = True) -> Outcome:
    """:param sure: it would be one too if all that the host stole had been to the policy's disadvantage."""
    if starved_host(look) or not sure:
        return unproved(look, text)
    return failed(rule, text, rule.fix, final=False)


def _group(look: Look, name: str) -> LoadGroupReading:
    return next(seen for seen in look.reading.groups if seen.name == name)
