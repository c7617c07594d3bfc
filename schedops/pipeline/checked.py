"""A source that somebody hands in, through the verifier: rules, compiler, simulator and a real kernel; in its words."""

from __future__ import annotations

from collections.abc import Callable

from schedops.agent.claude.toolbox import Checked
from schedops.errors import SchedopsError
from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, VerificationReport
from schedops.pipeline.verification import verify_policy
from schedops.ports import KernelImage, World
from schedops.verify.stages import QUICK

_MOST = 6  # checks that are told; the first one is what the others follow from


def checker(world: World, image: KernelImage) -> Callable[[PolicySource], Checked]:
    """Verifies quickly on one kernel; what cannot be verified has not passed.

    :param image: the kernel on which it would be measured; the fleet's others follow before it is.
    """

    def check(source: PolicySource) -> Checked:
        try:
            report = verify_policy(world, source, images=(image,), stages=QUICK)
        except SchedopsError as error:
            return Checked(passed=False, words=f"{error.message}\n{error.detail}".strip())
        return Checked(passed=report.verdict is Verdict.PASS, words=in_words(report))

    return check


def in_words(report: VerificationReport) -> str:
    """What did not pass, where, and the advice of the rule; for one that passed: the stages."""
    bad = [one for one in report.checks if one.verdict is not Verdict.PASS]
    if not bad:
        return f"{report.verdict.value}: {', '.join(dict.fromkeys(one.stage for one in report.checks))}"
    return "\n".join(line for one in bad[:_MOST] for line in _lines(one))


def _lines(check: Check) -> list[str]:
    on = f" on {check.kernel}" if check.kernel else ""
    return [f"{check.stage}{on}: {check.verdict.value}: {check.text}", *map(_found, check.findings[:_MOST])]


def _found(one: Finding) -> str:
    at = f" at {one.place}" if one.place else ""
    advice = f" Advice: {one.advice}" if one.advice else ""
    return f"  {one.rule}{at}: {one.text}{advice}"
