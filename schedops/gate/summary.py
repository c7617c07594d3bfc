"""A decision in two plain sentences with the figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schedops.gate.pairs import Change
from schedops.gate.words import ARM_NAMES, figures, metric_name, percent
from schedops.model.decision import Reason
from schedops.model.rung import SIMULATED
from schedops.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the summary is about."""

    workload: str
    policy: str
    verdict: Verdict
    recommendation: str
    rung: str
    stopped_early: bool  # before the last planned look


def summary(case: Case, deciding: Sequence[Reason], informed_alone: Sequence[Reason]) -> str:
    """First what was found, then what follows from it.

    :param deciding: reasons that the verdict rests on, in order.
    :param informed_alone: the informed default against the default scheduler.
    """
    return f"{_found(case, deciding)} {_follows(case, deciding, informed_alone)}"


def _found(case: Case, deciding: Sequence[Reason]) -> str:
    headlines = [one for baseline in ("eevdf", "informed") if (one := _headline(deciding, baseline))]
    changes = [
        (f"{metric_name(reason.metric)} " if at == 0 or reason.metric != headlines[0].metric else "")
        + f"{_figures(reason)} against {ARM_NAMES[reason.baseline]}"
        for at, reason in enumerate(headlines)
    ]
    found = " and ".join(changes) or "nothing that could be measured"
    pairs = max((reason.pairs for reason in deciding if reason.baseline), default=0)
    early = ", stopped early" if case.stopped_early and case.verdict is not Verdict.INCONCLUSIVE else ""
    simulated = "Simulated, not measured: " if case.rung == SIMULATED else ""
    return f"{simulated}{case.policy} on {case.workload}: {found} ({pairs} pairs{early})."


def _follows(case: Case, deciding: Sequence[Reason], informed_alone: Sequence[Reason]) -> str:
    if case.recommendation == "settings":
        gain = _headline(informed_alone, "eevdf")
        by = f" ({metric_name(gain.metric)} {_figures(gain)} against {ARM_NAMES['eevdf']})" if gain else ""
        return f"No policy is needed: the informed default alone is better than the default scheduler{by}."
    if case.verdict is Verdict.PASS:
        return _guards_held(deciding)
    why = next((reason.text for reason in deciding if reason.verdict is case.verdict and reason.hard), "")
    return f"{_MEANING[case.verdict]}: {why or 'no objective was shown to improve'}."


_MEANING = {
    Verdict.FAIL: "It is not good enough",
    Verdict.INCONCLUSIVE: "There is no verdict yet",
    Verdict.ERROR: "It could not be measured",
}


def _guards_held(deciding: Iterable[Reason]) -> str:
    held = [
        f"{metric_name(reason.metric)} {_figures(reason)} ({percent(reason.threshold)[1:]} worse allowed)"
        for reason in deciding
        if reason.role == "guard" and reason.hard
    ]
    return f"Every hard guard held: {', '.join(held)}." if held else "The workload has no hard guard."


def _headline(reasons: Sequence[Reason], baseline: str) -> Reason | None:
    # An objective that passed, else the first objective.
    objectives = [reason for reason in reasons if reason.role == "objective" and reason.baseline == baseline]
    return next((reason for reason in objectives if reason.verdict is Verdict.PASS), next(iter(objectives), None))


def _figures(reason: Reason) -> str:
    return figures(Change(pairs=reason.pairs, estimate=reason.estimate, low=reason.low, high=reason.high))
