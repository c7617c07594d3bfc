"""Outcomes of policies in words."""

from __future__ import annotations

from schedops.model.outcome import Effect


def effect_words(effect: Effect) -> str:
    """``makespan -12 % (-15 .. -9) against eevdf``."""
    if effect.estimate is None:
        return f"{effect.metric.replace('_', ' ')} not known"
    interval = ""
    if effect.low is not None and effect.high is not None:
        interval = f" ({100 * effect.low:+.0f} .. {100 * effect.high:+.0f})"
    return f"{effect.metric.replace('_', ' ')} {100 * effect.estimate:+.0f} %{interval} against {effect.baseline}"
