"""Claude through the Messages API: one question, streamed, with retries for what was never answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2

from schedops.adapters.clear_text import require_private_way
from schedops.adapters.llm import BASE_URL_VARIABLE, KEY_VARIABLE
from schedops.agent.claude.dialogue import CutShort
from schedops.agent.claude.untrusted import tame
from schedops.errors import InputError, Unavailable
from schedops.model.conversation import Question, Reply, TokenUse

_CONNECT_S = 10.0
_BETWEEN_EVENTS_S = 90.0  # the API pings a stream that has nothing to say
_RETRIES = 4  # of the SDK: 408, 409, 429, 5xx and no connection, with Retry-After or else backoff with jitter
_MOST_BLOCKS = 256
_MOST_CHARACTERS = 2_000_000


class AnthropicModel:
    """:param base_url: None: the API itself.

    :raises InputError: ``no-key``, ``secret-in-the-clear``.
    """

    def __init__(self, key: str | None, *, base_url: str | None = None, retries: int = _RETRIES) -> None:
        if not key:
            raise InputError(
                "no-key",
                f"{KEY_VARIABLE} is not set, and --agent anthropic needs it",
                hint="set it, or use --agent offline, which needs none",
            )
        if base_url is not None:
            require_private_way(base_url, what="the key", hint=f"https in {BASE_URL_VARIABLE}, or unset it")
        timeout = httpx2.Timeout(_BETWEEN_EVENTS_S, connect=_CONNECT_S)
        self._client = anthropic.Anthropic(api_key=key, base_url=base_url, timeout=timeout, max_retries=retries)
        self._key = key

    def reply(self, question: Question, *, deadline_s: float) -> Reply:
        """Ask; the whole reply.

        :param deadline_s: from now; a stream that drips longer is closed.
        :raises CutShort: the stream broke off or took too long, after the model had begun: it may have been billed.
        :raises Unavailable: ``model-unavailable``: nothing was answered, and nothing billed.
        :raises InputError: ``model-refused-request``: the API says that the request is wrong, or the key.
        """
        until = time.monotonic() + deadline_s
        begun = ended = False
        try:
            with self._client.messages.stream(**_request(question)) as stream:
                for event in stream:
                    begun, ended = True, event.type == "message_stop"
                    if time.monotonic() > until:
                        raise CutShort(f"the reply took more than {deadline_s:.0f} s")
                    _bounded(event)
                if not ended:  # the SDK gives what it has, without a word
                    raise CutShort("the reply broke off before its end")
                return _reply(stream.get_final_message())
        except anthropic.APIStatusError as error:
            raise self._refused(error, begun=begun) from None
        except (anthropic.AnthropicError, httpx2.HTTPError, ValueError, AssertionError) as error:
            # A stream that ends early leaves the SDK without a message: an assertion, or JSON that stops half way.
            if begun:
                raise CutShort(f"the reply broke off: {self._words(error)}") from None
            raise self._unavailable(error) from None

    def _refused(self, error: anthropic.APIStatusError, *, begun: bool) -> Exception:
        if begun:  # an error event inside a stream: overloaded_error and its like
            return CutShort(f"the reply broke off: {self._words(error)}")
        if error.status_code in {408, 409, 429} or error.status_code >= 500:
            return self._unavailable(error)
        return InputError(
            "model-refused-request",
            f"the Messages API refused the request ({error.status_code}): {self._words(error)}",
            hint=f"check {KEY_VARIABLE} and --model",
        )

    def _unavailable(self, error: Exception) -> Unavailable:
        return Unavailable(
            "model-unavailable",
            f"the Messages API did not answer: {self._words(error)}",
            hint="run it again, or use --agent offline",
        )

    def _words(self, error: Exception) -> str:
        # What came over the wire may repeat a header; the key never leaves, also not in part where the words are cut.
        return tame((str(error) or type(error).__name__).replace(self._key, "[key]"), limit=300)


def _request(question: Question) -> dict[str, Any]:
    return {
        "model": question.model,
        "max_tokens": question.max_output_tokens,
        "system": [{"type": "text", "text": question.system, "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.input_schema)}
            for tool in question.tools
        ],
        "messages": [{"role": turn.role, "content": [dict(one) for one in turn.content]} for turn in question.turns],
        # Marks the last block: the next turn of this conversation reads all of this one from the cache.
        "cache_control": {"type": "ephemeral"},
    }


def _bounded(event: Any) -> None:
    size = getattr(event, "index", 0)
    snapshot = getattr(event, "snapshot", "")
    if size >= _MOST_BLOCKS or (isinstance(snapshot, str) and len(snapshot) > _MOST_CHARACTERS):
        raise CutShort("the reply is larger than anything that was asked for")


def _reply(message: Any) -> Reply:
    use = message.usage
    return Reply(
        model=str(message.model),
        content=tuple(_block(one) for one in message.content),
        stop=str(message.stop_reason or ""),
        use=TokenUse(
            input_tokens=_count(use.input_tokens),
            cache_write_tokens=_count(use.cache_creation_input_tokens),
            cache_read_tokens=_count(use.cache_read_input_tokens),
            output_tokens=_count(use.output_tokens),
        ),
    )


def _block(block: Any) -> Mapping[str, Any]:
    # Only what came: the API takes nothing back that it did not send. The SDK passes on input of any shape.
    body: dict[str, Any] = block.model_dump(mode="json", exclude_unset=True, exclude_none=True, warnings=False)
    body.pop("parsed_output", None)
    if body.get("type") == "tool_use" and not isinstance(body.get("input"), dict):
        body["input"] = {}
    return body


def _count(value: int | None) -> int:
    return max(0, value or 0)
