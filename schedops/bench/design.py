"""Which run comes when, with which seed. Pure: the same seed gives the same experiment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from schedops.model.workload import Workload

ARMS = ("eevdf", "informed", "candidate")
# Three rotations, then the three of the mirrored order: each arm is in each position once in any three rounds that
# begin at a multiple of three, and after six every arm has followed every other one equally often.
_ORDERS = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 0, 2), (0, 2, 1))


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: *arm* at *order* of its round, process names drawn from *name_seed*."""

    arm: str
    order: int
    name_seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """One run of each arm, all with the same jobs.

    :param number: from 0; negative for a warm-up round, whose samples are dropped.
    :param seed: of its jobs.
    """

    number: int
    seed: int
    turns: tuple[Turn, ...]

    @property
    def warmup(self) -> bool:
        """Run first and dropped."""
        return self.number < 0


def design(workload: Workload, *, rounds: int, seed: int) -> tuple[Round, ...]:
    """Warm-up rounds, then *rounds* measured ones; every round has jobs of its own, every run has fresh names.

    :raises ValueError: fewer than one round.
    """
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    return tuple(_rounds(workload, rounds, seed))


def _rounds(workload: Workload, rounds: int, seed: int) -> Iterator[Round]:
    first = derived_seed(seed, "first") % len(_ORDERS)  # nobody chooses which arm begins
    for number in range(-workload.warmup_rounds, rounds):
        turns = tuple(
            Turn(arm, order, derived_seed(seed, "names", number, arm))
            for order, arm in enumerate(arms_in_order(first + number))
        )
        yield Round(number, derived_seed(seed, "jobs", number), turns)


def arms_in_order(number: int) -> tuple[str, ...]:
    """The arms of round *number* of those that begin with the plain order, first to last."""
    return tuple(ARMS[index] for index in _ORDERS[number % len(_ORDERS)])


def derived_seed(seed: int, *parts: object) -> int:
    """31 bits that depend on all of it, so that rounds do not share draws."""
    text = "/".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
