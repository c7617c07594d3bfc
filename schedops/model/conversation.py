"""What is said to a language model and what it says, as the Messages API has it (``anthropic.types`` of 2.12)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Block = Mapping[str, Any]  # a content block as JSON: text, tool_use, tool_result, thinking …


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What the model may ask us to do.

    :param input_schema: JSON Schema of its input, an object.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message. What the model said goes back to it block by block as it came: thinking is signed."""

    role: str  # user | assistant
    content: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call, whole; equal questions have equal digests.

    :param max_output_tokens: thinking counts.
    """

    model: str
    system: str
    tools: tuple[Tool, ...]
    turns: tuple[Turn, ...]
    max_output_tokens: int

    @property
    def json(self) -> str:
        """The one text form; blocks are JSON of any shape, so this is no document of a schema."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Of the text form."""
        return f"sha256:{hashlib.sha256(self.json.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse:
    """What a call is billed for; the first three together are all of the input."""

    input_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0

    @property
    def total(self) -> int:
        """All tokens, cached or not."""
        return self.input_tokens + self.cache_write_tokens + self.cache_read_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """:param stop: why it ended: end_turn, tool_use, max_tokens, refusal …"""

    model: str
    content: tuple[Block, ...]
    stop: str
    use: TokenUse

    @property
    def text(self) -> str:
        """All it said in words, without its thinking."""
        return "\n".join(str(block.get("text", "")) for block in self.content if block.get("type") == "text")

    @property
    def calls(self) -> tuple[Block, ...]:
        """The tools it wants to use, in its order."""
        return tuple(block for block in self.content if block.get("type") == "tool_use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question with its reply: a line of the transcript, and what a repeated question is answered from.

    :param usd: what it cost when it was asked.
    """

    question: Question
    reply: Reply
    usd: float
    seconds: float
