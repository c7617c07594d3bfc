"""Which part of the runs is drawn: all of it, or, when nothing ends and slices are short, as much as can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schedops.model.simulation import SimResult
from schedops.sim.groups import Groups, spans
from schedops.sim.stream import Slice, slices

_SLICE_COLUMNS = 8  # of a mean slice, seen from near


@dataclass(frozen=True, slots=True)
class Window:
    """:param whole: it is all of the runs."""

    start_ns: int
    length_ns: int
    whole: bool = True

    @property
    def end_ns(self) -> int:
        """The right edge."""
        return self.start_ns + self.length_ns


def window_of(results: Sequence[SimResult], groups: Groups, *, columns: int) -> Window:
    """All of it when a group ends in any of the runs: then the ends are the story. Else some of the middle."""
    whole = Window(0, max(1, *(result.end_ns for result in results)))
    if any(span.end_ns >= 0 for result in results for span in spans(groups, result)):
        return whole
    lengths = [one.end_ns - one.start_ns for result in results for one in slices(result.trace, result.end_ns)]
    wanted = sum(lengths) * columns // (_SLICE_COLUMNS * len(lengths)) if lengths else 0
    if not 0 < wanted < whole.length_ns // 2:
        return whole
    return Window(whole.length_ns // 2, wanted, whole=False)


def clipped(its: Iterable[Slice], window: Window) -> Iterator[Slice]:
    """What is inside of the window, with times from its left edge on."""
    for one in its:
        if one.end_ns > window.start_ns and one.start_ns < window.end_ns:
            start, end = max(one.start_ns, window.start_ns), min(one.end_ns, window.end_ns)
            yield one._replace(start_ns=start - window.start_ns, end_ns=end - window.start_ns)
