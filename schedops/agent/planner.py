"""The port between the line and whoever plans: documents in, a plan with its candidate out, tools in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from schedops.agent.lab import Candidate, Lab
from schedops.agent.trials import Terms, Told
from schedops.model.jobs import Hints
from schedops.model.outcome import Outcome
from schedops.model.plan import Plan
from schedops.model.policy import PolicySource
from schedops.model.profile import Profile
from schedops.model.search import Search
from schedops.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that a planner is told.

    :param library: policies that may be chosen or taken as a pattern.
    :param history: what came of policies before, here and elsewhere, oldest first.
    :param lessons: the same in words, for whoever reads words.
    :param pathway: configure | modify | create: nothing else may come out; None: whatever is best.
    """

    workload: Workload
    profile: Profile
    hints: Hints | None
    library: tuple[PolicySource, ...]
    history: tuple[Outcome, ...] = ()
    lessons: str = ""
    pathway: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What a planner may use.

    :param lab: where candidates are tried, in the simulator.
    :param terms: how much of that there may be, with which seeds. The gate uses others.
    """

    lab: Lab
    terms: Terms
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """:param candidate: what *plan* is about, with its source. :param search: all that was tried; None: nothing was."""

    plan: Plan
    candidate: Candidate
    search: Search | None = None


class Planner(Protocol):
    """Equal briefs and equal answers of the workbench give equal proposals."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Whatever else its proposals depend on, such as a model and its prompts."""

    def propose(self, brief: Brief, bench: Workbench | None) -> Proposed:
        """:param bench: None: nothing can be tried.

        :raises InputError: ``library-empty``. :raises Refused: ``nothing-to-try``.
        """
