"""A stage's result as a run keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """:param value: the stage's document.
    :param seconds: what making it took.
    :param usd: what making it cost.
    """

    value: Any
    seconds: float
    usd: float
