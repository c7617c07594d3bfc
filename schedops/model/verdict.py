"""The four possible answers, and how several become one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from schedops.errors import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_UNAVAILABLE


class Verdict(Enum):
    """PASS: measured and good. FAIL: measured and bad. INCONCLUSIVE: measured, no answer. ERROR: not measured."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"

    @property
    def exit_code(self) -> int:
        """The process exit code that stands for this verdict."""
        return _EXIT[self]


_EXIT = {
    Verdict.PASS: EXIT_DONE,
    Verdict.FAIL: EXIT_FAIL,
    Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
    Verdict.ERROR: EXIT_UNAVAILABLE,
}
_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of the whole: FAIL beats ERROR beats INCONCLUSIVE beats PASS; of nothing it is ERROR, never PASS."""
    seen = set(verdicts)
    for verdict in _WORST_FIRST:
        if verdict in seen:
            return verdict
    return Verdict.ERROR
