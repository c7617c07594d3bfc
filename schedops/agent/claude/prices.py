"""What tokens cost: the table of prices and its date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from schedops.errors import InputError
from schedops.model.conversation import TokenUse

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens.

    :param above: what all tokens of a call cost whose input is longer than *above_input_tokens*.
    """

    input: float
    output: float
    cache_write: float
    cache_read: float
    above_input_tokens: int = 0
    above: Price | None = None

    def usd(self, use: TokenUse) -> float:
        """What a call cost."""
        asked = use.input_tokens + use.cache_write_tokens + use.cache_read_tokens
        price = self.above if self.above is not None and asked > self.above_input_tokens else self
        return (
            use.input_tokens * price.input
            + use.cache_write_tokens * price.cache_write
            + use.cache_read_tokens * price.cache_read
            + use.output_tokens * price.output
        ) / _MILLION

    def worst_usd(self, input_tokens: int, output_tokens: int) -> float:
        """The most that a call of this size can cost: all of its input is written to the cache, nothing is read."""
        input_price = max(self.input, self.cache_write)
        here = (input_tokens * input_price + output_tokens * self.output) / _MILLION
        return max(here, self.above.worst_usd(input_tokens, output_tokens)) if self.above is not None else here


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """:param date: on which they were looked up, ISO 8601."""

    date: str
    models: Mapping[str, Price]

    def of(self, model: str) -> Price:
        """:raises InputError: ``no-price``: no budget can be held for this model."""
        if (price := self.models.get(model)) is None:
            raise InputError(
                "no-price",
                f"what {model[:100]} costs is not known, so no budget can be held for it",
                where="schedops/agent/claude/prices.yaml",
                hint=f"choose one of {', '.join(sorted(self.models))}",
            )
        return price


def known_prices() -> Prices:
    """The table that came with schedops."""
    table = yaml.safe_load(resources.files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8"))
    return Prices(date=str(table["date"]), models={name: _price(entry) for name, entry in table["models"].items()})


def _price(entry: Mapping[str, Any]) -> Price:
    above = entry.get("above")
    return Price(**{**entry, "above": _price(above) if above is not None else None})
