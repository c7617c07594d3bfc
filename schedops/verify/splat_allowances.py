"""Splats that are known bugs of a kernel and not the policy's doing: few, each with a reason, a link and an end.

An entry past its date no longer counts, and is an error in the tests: look whether the kernel is mended, then take it
out or give it a new date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """:param pattern: found in the line. :param kernels: releases that begin with one of these; empty: all.

    :param until: last day on which it counts, ISO 8601.
    """

    pattern: str
    reason: str
    link: str
    until: str
    kernels: tuple[str, ...] = ()

    def covers(self, line: str, *, release: str, today: str) -> bool:
        """:param today: ISO 8601; empty: whenever."""
        if today and today[:10] > self.until:
            return False
        if self.kernels and not release.startswith(self.kernels):
            return False
        return re.search(self.pattern, line) is not None


# None is known at present: 6.16 to 7.3 log no splat under any policy that is good.
ALLOWED: tuple[Allowance, ...] = ()


def problems(allowances: Sequence[Allowance], *, today: str) -> tuple[str, ...]:
    """What is wrong with the list itself: entries that are past their date, say too little or allow too much."""
    found = []
    for one in allowances:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", one.until):
            found.append(f"{one.pattern}: until is {one.until!r}, no date")
        elif today[:10] > one.until:
            found.append(f"{one.pattern}: past its date, {one.until}")
        if len(one.reason.split()) < 3:
            found.append(f"{one.pattern}: no reason")
        if not one.link.startswith("https://"):
            found.append(f"{one.pattern}: no link")
        if re.search(one.pattern, ""):
            found.append(f"{one.pattern}: allows everything")
    return tuple(found)
