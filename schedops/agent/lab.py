"""What a planner may ask to have tried, and the port through which it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schedops.model.policy import ParamValue, PolicySource
from schedops.model.search import SETTINGS

DEFAULT = "eevdf"  # name of the candidate that is the default scheduler as it comes


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could schedule.

    :param source: None: the default scheduler, with settings from hints when *name* is :data:`SETTINGS`.
    :param params: values that differ from the policy's defaults, sorted by name.
    :param recipe: what the policy was composed of; empty for one of the library.
    """

    name: str
    source: PolicySource | None = None
    params: tuple[ParamValue, ...] = ()
    recipe: str = ""

    @property
    def label(self) -> str:
        """One word for one behaviour."""
        return f"{self.name}:{','.join(f'{one.name}={one.value}' for one in self.params)}:{self.recipe}"


DEFAULT_SCHEDULER = Candidate(DEFAULT)
SETTINGS_ALONE = Candidate(SETTINGS)


@dataclass(frozen=True, slots=True)
class Reading:
    """One run.

    :param metrics: None: it did not get through, and *why*.
    """

    metrics: Mapping[str, float] | None
    why: str = ""


class Lab(Protocol):
    """Where candidates are tried, out of harm's way."""

    def run(self, asked: Sequence[tuple[Candidate, int]]) -> list[Reading]:
        """One run for each candidate and seed, in their order; equal questions get equal answers, asked once."""

    def runs(self) -> int:
        """How many runs there were so far."""

    def seconds(self) -> float:
        """Since it was made."""
