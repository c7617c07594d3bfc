"""Is one arm better than another for a workload? Several objectives become one answer here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schedops.gate.pairs import Change, compare
from schedops.gate.rules import held, improved, surely_worse
from schedops.gate.words import against, concluded, percent
from schedops.model.decision import Reason
from schedops.model.measurements import Measurements
from schedops.model.verdict import Verdict, worst
from schedops.model.workload import Guard, Objective, Workload


@dataclass(frozen=True, slots=True)
class Claim:
    """*arm* is better than *baseline*: the verdict on that, and the reasons."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """Which arms are compared, and the level of the intervals."""

    arm: str
    baseline: str
    confidence: float


def better(workload: Workload, measurements: Measurements, sides: Sides) -> Claim:
    """One objective has to carry the claim; no other objective may get worse by more than its own *min_effect*.

    - An objective that improves carries the claim. Each further objective then need not improve, but is held as a
      hard guard with ``max_harm = min_effect``, and is reported as that.
    - When none improves: an objective that got worse by more than its *min_effect* settles it (FAIL); one that could
      not be read leaves it at ERROR; one that is still open leaves it INCONCLUSIVE; all excluded is FAIL.
    """
    pairs = [(objective, _change(measurements, objective, sides)) for objective in workload.objectives]
    claims = [_objective_reason(objective, change, sides) for objective, change in pairs]
    guards = [_kept_reason(objective, change, sides) for objective, change in pairs]
    if any(claim.verdict is Verdict.PASS for claim in claims):
        kept = tuple(
            claim if claim.verdict is Verdict.PASS else guard for claim, guard in zip(claims, guards, strict=True)
        )
        return Claim(worst(reason.verdict for reason in kept), kept)
    return Claim(_without_gain(claims, guards), tuple(claims))


def guarded(workload: Workload, measurements: Measurements, sides: Sides, *, binding: bool) -> tuple[Reason, ...]:
    """One reason per guard; with *binding* false they are reported only.

    A hard guard is called broken only when that holds among all hard guards together (Holm): the more are looked at,
    the more often one of them looks broken by chance.
    """
    guards = [guard if binding else replace(guard, hard=False) for guard in workload.guards]
    broken = _surely_broken([guard for guard in guards if guard.hard], measurements, sides)
    return tuple(_guard_reason(guard, measurements, sides, sure=not guard.hard or guard in broken) for guard in guards)


def binding_verdict(reasons: Iterable[Reason]) -> Verdict:
    """Worst of the hard ones. Without any hard guard nothing is vetoed, so PASS."""
    hard = [reason.verdict for reason in reasons if reason.hard]
    return worst(hard) if hard else Verdict.PASS


def _surely_broken(guards: Iterable[Guard], measurements: Measurements, sides: Sides) -> frozenset[Guard]:
    # Holm's step-down: of m guards the level of one in m, of those that are left then of one in so many.
    left, broken = set(guards), set[Guard]()
    while left:
        stricter = replace(sides, confidence=1 - (1 - sides.confidence) / len(left))
        more = {one for one in left if _held(one, _change(measurements, one, stricter)) is Verdict.FAIL}
        if not more:
            break
        broken, left = broken | more, left - more
    return frozenset(broken)


def _held(guard: Guard, change: Change) -> Verdict:
    return held(change, direction=guard.direction, max_harm=guard.max_harm)


def _without_gain(claims: list[Reason], guards: list[Reason]) -> Verdict:
    if any(guard.verdict is Verdict.FAIL for guard in guards):
        return Verdict.FAIL
    open_ones = {claim.verdict for claim in claims} - {Verdict.FAIL}
    return worst(open_ones) if open_ones or not claims else Verdict.FAIL


def _change(measurements: Measurements, wanted: Objective | Guard, sides: Sides) -> Change:
    return compare(
        measurements,
        wanted.metric,
        unit=wanted.unit,
        arm=sides.arm,
        baseline=sides.baseline,
        confidence=sides.confidence,
    )


def _objective_reason(objective: Objective, change: Change, sides: Sides) -> Reason:
    verdict = improved(change, direction=objective.direction, min_effect=objective.min_effect)
    wanted = f"{objective.direction} by at least {percent(objective.min_effect)[1:]} was wanted"
    found = concluded("objective", verdict, worse=surely_worse(change, direction=objective.direction))
    text = f"{against(objective.metric, change, sides.baseline)}; {wanted}: {found}"
    return _reason(objective.metric, "objective", change, sides, (objective.min_effect, True, verdict, text))


def _kept_reason(objective: Objective, change: Change, sides: Sides) -> Reason:
    as_guard = Guard(
        metric=objective.metric,
        unit=objective.unit,
        direction=objective.direction,
        max_harm=objective.min_effect,
        hard=True,
    )
    return _judged_guard(as_guard, change, sides, sure=True)


def _guard_reason(guard: Guard, measurements: Measurements, sides: Sides, *, sure: bool) -> Reason:
    return _judged_guard(guard, _change(measurements, guard, sides), sides, sure=sure)


def _judged_guard(guard: Guard, change: Change, sides: Sides, *, sure: bool) -> Reason:
    # *sure*: among all that are looked at together.
    verdict = _held(guard, change)
    chance = verdict is Verdict.FAIL and not sure
    verdict = Verdict.INCONCLUSIVE if chance else verdict
    limit = f"at most {percent(guard.max_harm)[1:]} worse is allowed{'' if guard.hard else ' (reported only)'}"
    worse = surely_worse(change, direction=guard.direction)
    end = "among several guards this may be chance" if chance else concluded("guard", verdict, worse=worse)
    text = f"{against(guard.metric, change, sides.baseline)}; {limit}: {end}"
    return _reason(guard.metric, "guard", change, sides, (guard.max_harm, guard.hard, verdict, text))


def _reason(metric: str, role: str, change: Change, sides: Sides, ruling: tuple[float, bool, Verdict, str]) -> Reason:
    threshold, hard, verdict, text = ruling
    return Reason(
        metric=metric,
        role=role,
        baseline=sides.baseline,
        arm=sides.arm,
        pairs=change.pairs,
        estimate=change.estimate,
        low=change.low,
        high=change.high,
        threshold=threshold,
        hard=hard,
        verdict=verdict,
        text=text,
    )
