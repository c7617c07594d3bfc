"""Slices to columns of a picture: whoever had a CPU for most of a column's time has the column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schedops.sim.stream import Slice

IDLE = -1


@dataclass(frozen=True, slots=True)
class Bar:
    """Columns *first* to *last*, exclusive, of a CPU belong to *owner*."""

    cpu: int
    first: int
    last: int
    owner: int


def bars(slices: Iterable[Slice], owners: tuple[int, ...], *, cpus: int, columns: int, until_ns: int) -> list[Bar]:
    """At most *columns* bars for each CPU, however many slices there are; neighbours of one owner are one bar.

    :param owners: who a task counts for, by its number.
    :param until_ns: time at the right edge.
    """
    lanes = [_Lane(columns, until_ns) for _ in range(cpus)]
    for one in slices:
        if one.cpu < cpus and one.task < len(owners):
            lanes[one.cpu].add(owners[one.task], one.start_ns, one.end_ns)
    return [bar for cpu, lane in enumerate(lanes) for bar in lane.bars(cpu)]


class _Lane:
    """One CPU. Columns that a slice covers whole are set, the others are summed up."""

    def __init__(self, columns: int, until_ns: int) -> None:
        self._columns, self._until_ns = columns, max(1, until_ns)
        self._whole: list[int] = [IDLE] * columns
        self._parts: dict[int, dict[int, int]] = {}

    def add(self, group: int, start_ns: int, end_ns: int) -> None:
        first, last = self._column(start_ns), self._column(end_ns)
        for column in {first, last}:
            low, high = self._edge(column), self._edge(column + 1)
            part = min(end_ns, high) - max(start_ns, low)
            if part > 0 and column < self._columns:
                shares = self._parts.setdefault(column, {})
                shares[group] = shares.get(group, 0) + part
        self._whole[first + 1 : last] = [group] * max(0, last - first - 1)

    def bars(self, cpu: int) -> Iterator[Bar]:
        owners = [self._owner(column) for column in range(self._columns)]
        first = 0
        for column in range(1, self._columns + 1):
            if column == self._columns or owners[column] != owners[first]:
                if owners[first] != IDLE:
                    yield Bar(cpu, first, column, owners[first])
                first = column

    def _owner(self, column: int) -> int:
        shares = self._parts.get(column)
        if shares is None:
            return self._whole[column]
        # Idle competes like everybody; of equals the first group has it, so that equal runs give equal bytes.
        idle = self._edge(column + 1) - self._edge(column) - sum(shares.values())
        most = max(shares.values())
        return IDLE if idle > most else min(group for group, ns in shares.items() if ns == most)

    def _column(self, time_ns: int) -> int:
        return min(self._columns, time_ns * self._columns // self._until_ns)

    def _edge(self, column: int) -> int:
        return column * self._until_ns // self._columns
