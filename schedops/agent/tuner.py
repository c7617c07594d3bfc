"""Planners to compare with: a tuner that knows no meanings, and chance. Both have the budget of the others. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from schedops.agent.lab import Candidate
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.agent.search import roam
from schedops.errors import InputError, Refused, Undecided
from schedops.model.plan import Plan
from schedops.model.search import Search

KINDS = {"tuner": "tpe", "random": "random"}


class BlindPlanner:
    """Implements ``Planner``: any policy of the library with any values, whatever they mean.

    :param kind: ``tuner``: a Parzen estimator over policies and values, from their defaults; ``random``: chance.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.identity: Mapping[str, str] = {"planner": kind}

    def propose(self, brief: Brief, bench: Workbench | None) -> Proposed:
        """See the port. :raises Undecided: ``nothing-tried``."""
        if brief.pathway not in (None, "configure"):
            raise InputError("no-pathway", f"--agent {self._kind} configures; it cannot {brief.pathway}")
        if bench is None:
            raise Undecided("nothing-tried", f"--agent {self._kind} knows only what it tries", hint="--trials 60")
        begins = tuple(Candidate(one.policy.name, one) for one in brief.library)
        found = roam(bench.terms, begins, kind=KINDS[self._kind], lab=bench.lab, told=bench.told)
        chosen = found.trial(found.chosen)
        if chosen is None:
            raise Refused("nothing-to-try", f"nothing was found: {found.because}", hint="--trials")
        source = next(one for one in brief.library if one.policy.name == chosen.candidate)
        hints = bool(brief.hints and brief.hints.hints) and source.policy.capabilities.hints
        plan = _plan(self._kind, brief, found, uses_hints=hints)
        return Proposed(plan=plan, candidate=Candidate(chosen.candidate, source, chosen.params), search=found)


def _plan(kind: str, brief: Brief, found: Search, *, uses_hints: bool) -> Plan:
    chosen = found.trials[found.chosen]
    over = next(one for one in found.confirmed if one.trial == found.chosen and one.baseline == "eevdf")
    metric, change = over.metric or brief.workload.objectives[0].metric, over.estimate or 0.0
    said = f"{metric.replace('_', ' ')} {change:+.0%} against the default scheduler on {over.pairs} fresh seeds"
    return Plan(
        workload=brief.workload.name,
        planner=kind,
        policy=chosen.candidate,
        params=chosen.params,
        uses_hints=uses_hints,
        hypothesis=f"{chosen.candidate} was the best of what was tried: {said} of the simulator. Nobody knows why.",
        predicted_metric=metric,
        predicted_change=round(change, 4),
        reasons=(f"tried without looking at the workload: {found.because}",),
        alternatives=(),
        cost_usd=0.0,
    )
