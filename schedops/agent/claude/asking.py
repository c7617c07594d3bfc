"""The question to Claude and what becomes of the answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from schedops.agent.claude.dialogue import Conversation, as_json, converse
from schedops.agent.claude.toolbox import PolicyTools, Wish
from schedops.agent.claude.untrusted import quoted
from schedops.agent.lab import Candidate
from schedops.model.conversation import Block
from schedops.model.profile import Profile
from schedops.model.workload import Workload
from schedops.schema.decode import encode

DEFAULT_MODEL = "claude-sonnet-5-5"
MAX_TURNS = 24
MAX_OUTPUT_TOKENS = 24_000
_PROMPTS = "prompts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a conversation came to.

    :param wish: what the model proposed; None: it did not get that far, and *fallback* is the best that it had
        simulated, if anything was better than the default scheduler.
    :param ended: why the conversation was over.
    :param tried: candidates that the model had simulated, sources it handed in: *written*.
    :param prompts_sha256: of the prompts that were used.
    """

    wish: Wish | None
    fallback: Candidate | None
    ended: str
    model: str
    calls: int
    recalled: int
    usd: float
    tokens: int
    tried: int
    written: int
    prompts_sha256: str


def ask(
    conversation: Conversation,
    toolbox: PolicyTools,
    *,
    model: str,
    profile: Profile,
    workload: Workload,
    memory: str,
    max_turns: int = MAX_TURNS,
    role: str = "system",
) -> Asked:
    """Let Claude look for a candidate.

    :param memory: lessons of earlier runs; text of others.
    :param role: name of the system prompt.
    :raises Unavailable: the model cannot be reached. :raises InputError: it refuses the request, or the key is wrong.
    """
    system = prompt(role)
    ended = converse(
        conversation,
        toolbox,
        model=model,
        system=system,
        opening=_opening(profile, workload, memory),
        max_turns=max_turns,
        max_output_tokens=MAX_OUTPUT_TOKENS,
    )
    account = conversation.account
    return Asked(
        wish=toolbox.wish,
        fallback=None if toolbox.wish else toolbox.best(),
        ended=ended,
        model=model,
        calls=account.calls,
        recalled=conversation.recalled,
        usd=round(account.usd, 6),
        tokens=account.tokens,
        tried=len(toolbox.tried),
        written=toolbox.writes,
        prompts_sha256=prompts_digest(),
    )


def prompt(name: str) -> str:
    """A prompt of ``agent/prompts``."""
    return resources.files("schedops.agent").joinpath(_PROMPTS, f"{name}.md").read_text(encoding="utf-8")


def prompts_digest() -> str:
    """Of all that is said to the model by us; changes with every word."""
    text = "\0".join(prompt(name) for name in ("naive", "system", "task"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _opening(profile: Profile, workload: Workload, memory: str) -> list[Block]:
    parts = [
        prompt("task"),
        quoted("workload", as_json(_without_programs(workload))),
        quoted("profile", as_json(encode(profile))),
        quoted("memory", memory or "nothing yet"),
    ]
    return [{"type": "text", "text": part} for part in parts]


def _without_programs(workload: Workload) -> dict[str, object]:
    # What the programs are called, and how they are started, is what nothing may be decided by.
    return {key: value for key, value in encode(workload).items() if key != "real" and value not in (None, [], ())}
