"""What may be spent, and what was: the next call is refused before it could overrun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from schedops.agent.claude.prices import Price
from schedops.model.conversation import Question, TokenUse

# What the API adds to what we send (tool use has a system prompt of its own, some hundred tokens) and a margin.
OVERHEAD_TOKENS = 4_000


class OutOfBudget(Exception):
    """The next call could overrun; it was not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits; None: no limit of that kind.

    :param seconds: from the first question on.
    :param usd_a_day: of all runs together that share the purse.
    """

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    usd_a_day: float | None = None


class Purse(Protocol):
    """What was spent today, by all runs."""

    def take(self, usd: float, *, limit_usd: float | None) -> str | None:
        """Set aside; returns a name to settle by, or None (and nothing is set aside) when it would pass the limit."""

    def settle(self, name: str, usd: float) -> None:
        """What it really cost. What is never settled, as after a crash, stays spent."""

    def spent_usd(self) -> float:
        """So far today, what is set aside included."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """The worst case of one call, set aside."""

    name: str
    usd: float
    tokens: int


@dataclass(slots=True)
class Account:
    """One run's spending against its budget."""

    budget: Budget
    price: Price
    purse: Purse
    usd: float = 0.0
    tokens: int = 0
    calls: int = 0

    def reserve(self, question: Question, *, elapsed_s: float) -> Reserved:
        """Set the worst case aside.

        :raises OutOfBudget: it could overrun, or the time is over; says which limit and by how much.
        """
        input_tokens = most_input_tokens(question)
        usd = self.price.worst_usd(input_tokens, question.max_output_tokens)
        tokens = input_tokens + question.max_output_tokens
        budget = self.budget
        if budget.seconds is not None and elapsed_s >= budget.seconds:
            raise OutOfBudget(f"{elapsed_s:.0f} s of {budget.seconds:g} s are over")
        if budget.usd is not None and self.usd + usd > budget.usd:
            raise OutOfBudget(f"${self.usd:.4f} of ${budget.usd:g} are spent and the next call may cost ${usd:.4f}")
        if budget.tokens is not None and self.tokens + tokens > budget.tokens:
            raise OutOfBudget(f"{self.tokens} of {budget.tokens} tokens are used and the next call may use {tokens}")
        name = self.purse.take(usd, limit_usd=budget.usd_a_day)
        if name is None:
            today = self.purse.spent_usd()
            raise OutOfBudget(
                f"${today:.4f} of ${budget.usd_a_day:g} a day are spent and the next call may cost ${usd:.4f}"
            )
        self.usd += usd
        self.tokens += tokens
        return Reserved(name, usd, tokens)

    def settle(self, reserved: Reserved, use: TokenUse) -> float:
        """Put what was not used back; returns what the call cost in US dollars."""
        usd = self.price.usd(use)
        self.purse.settle(reserved.name, usd)
        self.usd += usd - reserved.usd
        self.tokens += use.total - reserved.tokens
        self.calls += 1
        return usd

    def release(self, reserved: Reserved) -> None:
        """The call was never answered: nothing is billed."""
        self.purse.settle(reserved.name, 0.0)
        self.usd -= reserved.usd
        self.tokens -= reserved.tokens


def most_input_tokens(question: Question) -> int:
    """More than the question can have: no token is shorter than a byte of what is sent."""
    return len(question.json.encode()) + OVERHEAD_TOKENS
