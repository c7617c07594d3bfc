"""Progress as typed events; text, JSON lines and tests all consume the same stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """:param kind: started | progress | finished | reused | failed | note.

    A stage emits started, any number of progress and note, then one of finished, reused, failed.
    *fraction* (0 to 1) and *remaining_s* are None while unknown.
    """

    kind: str
    stage: str
    text: str = ""
    fraction: float | None = None
    remaining_s: float | None = None
    seconds: float | None = None
