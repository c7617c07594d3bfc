"""How much there is to do in a plan, as far as metrics ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Work is ns on the fastest CPU.

    :param work_ns: of all tasks together; 0: nobody asks.
    :param chain_ns: of the longest chain of tasks that wait for each other.
    :param messages: that are sent.
    """

    work_ns: int = 0
    chain_ns: int = 0
    messages: int = 0
