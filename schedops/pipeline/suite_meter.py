"""How far a suite is, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from schedops.model.event import Event
from schedops.model.suite import SuiteCell
from schedops.ports import Clock, Progress

STAGE = "suite"
_ENOUGH = 10  # cells before there is an estimate where nobody knows how long they take: the first wait for a compiler


class Meter:
    """Counts cells.

    :param cells: how many there are, by workload.
    :param expected_s: of a cell, by workload, where somebody has measured it; None or empty: nobody has.
    """

    def __init__(
        self, cells: Mapping[str, int], clock: Clock, progress: Progress, expected_s: Mapping[str, float] | None
    ) -> None:
        known = expected_s or {}
        typical = fmean(known.values()) if known else 1.0
        self._weights = {name: known.get(name, typical) for name in cells}
        self._cells = sum(cells.values())
        self._whole = sum(count * self._weights[name] for name, count in cells.items())
        self._enough = 1 if known else _ENOUGH
        self._clock = clock
        self._progress = progress
        self._done, self._weighed = 0, 0.0
        self._began_s = clock.monotonic_s()

    @property
    def expected_s(self) -> float:
        """Of all cells, as it is known before the first; of no meaning where nobody has measured any."""
        return self._whole

    def seconds(self) -> float:
        """So far."""
        return self._clock.monotonic_s() - self._began_s

    def step(self, cell: SuiteCell) -> None:
        """One is over."""
        self._done += 1
        self._weighed += self._weights[cell.workload]
        share = self._weighed / self._whole
        self._progress.emit(
            Event(
                kind="progress",
                stage=STAGE,
                text=f"{self._done} of {self._cells} cells, {cell.workload}",
                fraction=min(1.0, share),
                remaining_s=max(0.0, self.seconds() * (1 / share - 1)) if self._done >= self._enough else None,
            )
        )
