"""Which rung the figures are of: one, and a measured one where a verdict is to rest on it."""

from __future__ import annotations

from schedops.gate.conditions import condition
from schedops.gate.pairs import rung_of
from schedops.model.decision import Reason
from schedops.model.measurements import Measurements
from schedops.model.rung import MEASURED, RUNGS, WORDS
from schedops.model.verdict import Verdict

METRIC = "rung"


def one_measured_rung(measurements: Measurements) -> Reason:
    """PASS: all was measured, on one rung. INCONCLUSIVE: all was simulated. ERROR: several rungs, or an unknown one."""
    found = sorted({measurements.rung, *(rung_of(measurements, sample) for sample in measurements.samples)})
    if len(found) > 1:
        text = f"figures of several rungs cannot be compared: {', '.join(found)}"
        return condition(METRIC, Verdict.ERROR, text)
    if measurements.rung not in RUNGS:
        return condition(METRIC, Verdict.ERROR, f"nobody knows what {measurements.rung!r} figures are worth")
    text = WORDS[measurements.rung]
    if measurements.rung not in MEASURED:
        return condition(METRIC, Verdict.INCONCLUSIVE, f"{text}: a reason to measure, and no evidence")
    return condition(METRIC, Verdict.PASS, text)
