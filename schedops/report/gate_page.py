"""A decision as people read it: what was found, every reason, and what the words stand for."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.decision import Decision, Reason
from schedops.model.measurements import Measurements
from schedops.model.rung import WORDS
from schedops.report.bench_page import change
from schedops.report.table import paragraph, table

_HEADER = ("METRIC", "ROLE", "ARM", "AGAINST", "PAIRS", "CHANGE", "LIMIT", "VERDICT")


def gate_page(measurements: Measurements, decision: Decision, *, same: bool | None) -> str:
    """:param same: as the stored decision, byte for byte; None: none was stored."""
    head = (
        f"{decision.policy} on {decision.workload}, {WORDS.get(decision.rung, decision.rung)}: {decision.rounds} of "
        f"{len(measurements.rounds)} measured rounds count, {measurements.kernel}, {measurements.cpus} CPUs"
    )
    conditions = [reason for reason in decision.reasons if reason.role == "condition"]
    judged = [reason for reason in decision.reasons if reason.role != "condition"]
    return "\n\n".join(
        [
            paragraph(head),
            paragraph(f"{decision.verdict.value}: {decision.summary}"),
            table(("CONDITION", "VERDICT", "WHY"), [(one.metric, one.verdict.value, one.text) for one in conditions]),
            table(_HEADER, [_row(one) for one in judged], width=200),
            paragraph(_level(decision)),
            *([] if same is None else ["The stored decision is the same, byte for byte."]),
        ]
    )


def side_by_side(first: Decision, second: Decision) -> str:
    """The objectives of two results that were measured under the same conditions."""
    rows = [
        (found.policy, found.verdict.value, str(found.rounds), one.metric, one.baseline, change(one))
        for found in (first, second)
        for one in found.reasons
        if one.role == "objective" and one.arm == "candidate"
    ]
    said = paragraph("Measured under the same conditions; which of the two is better was not tested.")
    return "\n\n".join((table(("POLICY", "VERDICT", "ROUNDS", "METRIC", "AGAINST", "CHANGE"), rows), said))


def _row(reason: Reason) -> Sequence[str]:
    limit = f"{100 * reason.threshold:g} % {'wanted' if reason.role == 'objective' else 'allowed'}"
    role = reason.role if reason.hard else f"{reason.role} (reported)"
    verdict = reason.verdict.value
    return reason.metric, role, reason.arm, reason.baseline, str(reason.pairs), change(reason), limit, verdict


def _level(decision: Decision) -> str:
    looks = ", ".join(map(str, decision.looks))
    return (
        f"Changes are fractions of the baseline, negative = smaller, with exact signed-rank intervals at "
        f"{100 * decision.confidence:.3g} %, so that all looks together, after {looks} rounds, keep that of one. "
        "An objective passes when its whole interval is better than no change and the estimate is what was wanted; a "
        "guard when its whole interval is within what is allowed. What is neither shown nor ruled out is INCONCLUSIVE."
    )
