"""Progress events as lines people read. Pure: no terminal, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.event import Event

BAR_AFTER_S = 2.0  # what is over sooner needs no bar
ESTIMATE_FROM_S = 30.0  # what is over sooner needs no estimate
_NAME_WIDTH = 9
_TEXT_WIDTH = 72
_MARKS = {"finished": "✓", "reused": "=", "failed": "✗", "note": "·"}
_ASCII_MARKS = {"finished": "+", "reused": "=", "failed": "x", "note": "-"}


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a stage that is going on stands.

    :param elapsed_s: since it started.
    """

    event: Event
    elapsed_s: float

    @property
    def remaining_s(self) -> float | None:
        """What the stage says, else what its pace says; None while neither is known or it will be short."""
        left = self.event.remaining_s
        fraction = self.event.fraction
        if left is None and fraction:
            left = self.elapsed_s * (1 - fraction) / fraction
        if left is None or self.elapsed_s < BAR_AFTER_S or self.elapsed_s + left < ESTIMATE_FROM_S:
            return None
        return max(0.0, left)


def ended_line(event: Event, *, unicode: bool = True) -> str:
    """A finished, reused or failed stage: mark, name, what it found, seconds."""
    mark = (_MARKS if unicode else _ASCII_MARKS).get(event.kind, " ")
    said = visible(event.text)
    if event.kind == "reused":
        said = f"{said} (unchanged, from an earlier run)" if said else "unchanged, from an earlier run"
    took = f"{event.seconds:.1f} s" if event.seconds is not None and event.kind != "reused" else ""
    return f"{mark} {visible(event.stage):<{_NAME_WIDTH}} {said:<{_TEXT_WIDTH}} {took:>9}".rstrip()


def note_line(event: Event, *, unicode: bool = True) -> str:
    """Something worth saying while a stage goes on."""
    mark = (_MARKS if unicode else _ASCII_MARKS)["note"]
    return f"{mark} {visible(event.stage):<{_NAME_WIDTH}} {visible(event.text)}".rstrip()


def moment_line(moment: Moment) -> str:
    """A stage that is going on, for where there is no live bar."""
    event = moment.event
    parts = [f"{100 * event.fraction:.0f} %"] if event.fraction is not None else []
    parts.append(f"{duration(moment.elapsed_s)} so far")
    if (left := moment.remaining_s) is not None:
        parts.append(f"about {duration(left)} left")
    return f"  {visible(event.stage):<{_NAME_WIDTH}} {visible(event.text)} ({', '.join(parts)})".replace("  (", " (")


def duration(seconds: float) -> str:
    """``45 s`` or ``2 min 05 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


def visible(text: str) -> str:
    """One line without control characters: what is shown may come from a guest."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
