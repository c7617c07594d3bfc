"""Who plans: the offline planner, or Claude within a budget."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schedops.cli.common import FiniteRange

if TYPE_CHECKING:
    from schedops.agent.claude.dialogue import Conversation, LanguageModel
    from schedops.model.policy import PolicySource
    from schedops.pipeline.measure import PlannerFor, Request
    from schedops.ports import World

F = TypeVar("F", bound=Callable[..., Any])
_DOLLARS = FiniteRange(0)
_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_DEFAULT_USD = 1.0


@dataclass(frozen=True, slots=True)
class Transcribed:
    """Where exchanges with a model are kept; *only*: nothing else may answer."""

    directory: Path
    only: bool


def agent_options(function: F) -> F:
    """The options of whoever plans."""
    for option in reversed(
        (
            click.option(
                "--agent",
                type=click.Choice(["offline", "anthropic", "tuner", "random", "naive"]),
                default="offline",
                show_default=True,
                help="who plans: rules and search, free; Claude (ANTHROPIC_API_KEY); the others are to compare with",
            ),
            click.option("--model", metavar="NAME", help="of Claude [default: claude-sonnet-5-5]"),
            click.option(
                "--budget-usd", type=_DOLLARS, help=f"dollars for this run at most [default: {_DEFAULT_USD:g}]"
            ),
            click.option("--budget-tokens", type=click.IntRange(1), help="tokens for this run at most"),
            click.option("--budget-usd-day", type=_DOLLARS, help="dollars a day at most, of all runs together"),
            click.option("--record", type=_DIRECTORY, help="keep the conversation here, for --replay"),
            click.option("--replay", type=_DIRECTORY, help="answer from a recording: no key, no network, no cost"),
        )
    ):
        function = option(function)
    return function


def planner_for(
    request: Request,
    policies: Sequence[PolicySource],
    *,
    root: Path,
    kept: Transcribed,
    world: World,
) -> PlannerFor:
    """Makes the planner when the kernel is known.

    :param root: of the policy repository.
    :raises InputError: ``no-key``, ``no-price``: before anything is run.
    """
    from schedops.agent.offline import OfflinePlanner
    from schedops.agent.tuner import KINDS, BlindPlanner

    if request.agent == "offline":
        return lambda _: OfflinePlanner()
    if request.agent in KINDS:
        return lambda _: BlindPlanner(request.agent)
    from schedops.adapters.disk.shelf import DiskShelf
    from schedops.agent.claude.asking import DEFAULT_MODEL
    from schedops.agent.claude.naive import NaivePlanner
    from schedops.agent.claude.planner import ClaudePlanner
    from schedops.pipeline.checked import checker
    from schedops.wiring import embedder

    model = request.model or DEFAULT_MODEL
    conversation = _conversation(request, model, kept, world)
    if request.agent == "naive":
        return lambda image: NaivePlanner(conversation, model, checker(world, image))
    shelf = DiskShelf(root, policies, embedder=embedder())
    return lambda image: ClaudePlanner(conversation, model, shelf, checker(world, image))


def _conversation(request: Request, model: str, kept: Transcribed, world: World) -> Conversation:
    import time

    from schedops.adapters.disk.cachedir import cache_dir
    from schedops.adapters.llm.purse import FilePurse
    from schedops.adapters.llm.transcript import FileTranscript
    from schedops.agent.claude.budget import Account, Budget
    from schedops.agent.claude.dialogue import Conversation
    from schedops.agent.claude.prices import known_prices
    from schedops.model.event import Event

    budget = Budget(
        usd=_DEFAULT_USD if request.budget_usd is None else request.budget_usd,
        tokens=request.budget_tokens,
        seconds=request.budget_s or None,
        usd_a_day=request.budget_usd_day,
    )

    def told(text: str) -> None:
        world.progress.emit(Event(kind="progress", stage="search", text=text))

    purse = FilePurse(cache_dir() / "spending", clock=world.clock)
    return Conversation(
        _door(kept),
        Account(budget, known_prices().of(model), purse),
        FileTranscript(kept.directory),
        world.clock,
        told,
        time.sleep,
    )


def _door(kept: Transcribed) -> LanguageModel:
    from schedops.adapters.llm import BASE_URL_VARIABLE, KEY_VARIABLE
    from schedops.adapters.llm.transcript import Recorded

    if kept.only:
        return Recorded(kept.directory)
    from schedops.adapters.llm.anthropic_model import AnthropicModel

    return AnthropicModel(os.environ.get(KEY_VARIABLE), base_url=os.environ.get(BASE_URL_VARIABLE) or None)
