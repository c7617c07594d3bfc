"""One step of a long installation, told to the port ``Progress`` from its start to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from schedops.model.event import Event
from schedops.ports import Progress


class Step:
    """What goes on. *said* is what its end will say."""

    def __init__(self, progress: Progress, stage: str, text: str) -> None:
        self._progress = progress
        self._stage = stage
        self.said = text
        self.size_bytes = 0

    def arrived(self, count_bytes: int) -> None:
        """So much of *size_bytes* is here; from any thread."""
        self.emit("progress", fraction=min(count_bytes / max(self.size_bytes, 1), 1.0))

    def note(self, text: str) -> None:
        """Worth saying while it goes on."""
        self._progress.emit(Event(kind="note", stage=self._stage, text=text))

    def emit(self, kind: str, *, fraction: float | None = None, seconds: float | None = None) -> None:
        """An event of this step."""
        event = Event(kind=kind, stage=self._stage, text=self.said, fraction=fraction, seconds=seconds)
        self._progress.emit(event)


@contextmanager
def step(progress: Progress, stage: str, text: str) -> Iterator[Step]:
    """Tells that *text* began, and at the end that it finished or failed, and how long it took."""
    started = time.monotonic()
    going_on = Step(progress, stage, text)
    going_on.emit("started")
    try:
        yield going_on
    except BaseException:
        going_on.emit("failed", seconds=time.monotonic() - started)
        raise
    going_on.emit("finished", seconds=time.monotonic() - started)
