"""What a stage found, in a few words: the line people see while a proposal is made."""

from __future__ import annotations

from schedops.model.decision import Decision
from schedops.model.evidence import Evidence
from schedops.model.jobs import Hints
from schedops.model.measurements import Measurements
from schedops.model.plan import Plan
from schedops.model.profile import Profile
from schedops.model.rung import SIMULATED
from schedops.model.search import Search
from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport

_BASELINES = {"eevdf": "EEVDF", "informed": "the informed default"}


def profile(profile: Profile) -> str:
    """Class, jobs, CPUs."""
    classes = ", ".join(one.name for one in profile.classes) or "no class"
    jobs = next((f"{figure.value:.0f} jobs, " for figure in profile.figures if figure.name == "jobs"), "")
    return f"{classes}: {jobs}{profile.cpus} CPUs, {profile.kernel}, {profile.accelerator}"


def hints(hints: Hints) -> str:
    """How many jobs history now knows."""
    return f"expected CPU time of {len(hints.hints)} jobs, measured"


def search(search: Search) -> str:
    """How much was tried, and what is best."""
    chosen = search.trial(search.chosen)
    if chosen is None:
        return f"nothing chosen: {search.because}"
    stands = "stands" if search.chosen == search.planned else "is better than what the rules chose"
    stands = "is composed" if chosen.recipe else stands
    params = "".join(f" {one.name}={one.value}" for one in chosen.params)
    return f"{len(search.trials)} candidates in {search.runs} simulated runs: {chosen.candidate}{params} {stands}"


def plan(plan: Plan) -> str:
    """Policy, parameters, predicted effect; or that none is needed."""
    params = " ".join(f"{param.name}={param.value}" for param in plan.params)
    metric = plan.predicted_metric.replace("_", " ")
    if plan.settings_only:
        return f"settings of the default scheduler are enough; {plan.policy} is measured beside them"
    return f"{plan.policy} {params}: {metric} {plan.predicted_change:+.0%} predicted".replace("  ", " ")


def verification(report: VerificationReport) -> str:
    """Verdict, kernels, first thing wrong."""
    kernels = len({check.kernel for check in report.checks} - {""})
    said = f"{report.verdict.value}: {len(report.checks)} checks on {kernels} kernel{'s' * (kernels != 1)}"
    wrong = next((check for check in report.checks if check.verdict is not Verdict.PASS), None)
    if wrong is not None:
        said += f", {wrong.stage}{f' on {wrong.kernel}' if wrong.kernel else ''}: {wrong.text}"
    if report.kernels_missing:
        said += f" (not at hand: {', '.join(report.kernels_missing)})"
    return said


def measurements(measured: Measurements) -> str:
    """Runs, rounds, invalid ones."""
    invalid = sum(not sample.valid for sample in measured.samples)
    said = "simulated, not measured: " if measured.rung == SIMULATED else ""
    said += f"{len(measured.samples)} runs in {len(measured.rounds)} rounds of three arms on {measured.kernel}"
    return said + (f", {invalid} not counted" if invalid else "")


def decision(decision: Decision) -> str:
    """Verdict and the first objective's changes; all of the summary when it is no PASS."""
    reasons = [one for one in decision.reasons if one.role == "objective" and one.arm == "candidate"]
    if decision.verdict is not Verdict.PASS or not reasons:
        return f"{decision.verdict.value}: {decision.summary}"
    metric = reasons[0].metric
    changes = [
        f"{one.estimate:+.1%} against {_BASELINES.get(one.baseline, one.baseline)}"
        for one in reasons
        if one.metric == metric and one.estimate is not None
    ]
    return f"{decision.verdict.value}: {metric.replace('_', ' ')} {', '.join(changes)}"


def evidence(evidence: Evidence) -> str:
    """What the bundle holds."""
    return f"{len(evidence.documents)} documents, {sum(cost.seconds for cost in evidence.costs):.0f} s measured"
