"""Asking within a budget, remembering what was answered, and letting the model use its tools until it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schedops.agent.claude.budget import Account, OutOfBudget
from schedops.agent.claude.untrusted import LIMIT
from schedops.errors import InputError, Unavailable
from schedops.model.conversation import Block, Exchange, Question, Reply, Tool, Turn

_MOST_CALLS_A_TURN = 8
_ATTEMPTS = 3
_REPLY_S = 300.0
_MOST_RESULT_CHARACTERS = 2 * LIMIT  # what is quoted in it is cut before, so that no fence stays open
_GO_ON = "You were cut off. Go on, in fewer words; when you are done, call `propose`."
_NO_PROPOSAL = "Nothing was proposed. Call `propose` with the best you have, or say in one sentence why nothing helps."


class CutShort(Exception):
    """The model had begun to answer; the call may have been billed in part."""


class LanguageModel(Protocol):
    """Where questions are answered."""

    def reply(self, question: Question, *, deadline_s: float) -> Reply:
        """:raises CutShort: it broke off. :raises Unavailable: it never began. :raises InputError: it will not."""


class Transcript(Protocol):
    """Every exchange of a run, kept as it is had; a repeated question is answered from here, unpaid."""

    def recall(self, question: Question) -> Exchange | None:
        """The exchange, if there was one. :raises InputError: only a recording may answer, and it cannot."""

    def keep(self, exchange: Exchange) -> None:
        """Store it whole or not at all."""


class Clock(Protocol):
    """Time."""

    def monotonic_s(self) -> float:
        """Seconds."""


class Toolbox(Protocol):
    """What the model may do."""

    tools: tuple[Tool, ...]

    def use(self, name: str, arguments: Mapping[str, Any]) -> str:
        """:raises InputError: no such tool, or wrong arguments: what to tell the model."""

    def done(self) -> bool:
        """It proposed something; the conversation is over."""


@dataclass(slots=True)
class Conversation:
    """:param told: a few words for progress; *wait*: before the same question is asked again, seconds."""

    model: LanguageModel
    account: Account
    transcript: Transcript
    clock: Clock
    told: Callable[[str], None]
    wait: Callable[[float], None]
    recalled: int = 0
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_s = self.clock.monotonic_s()

    def ask(self, question: Question) -> Reply:
        """The reply, from the transcript if the very question was asked before.

        :raises OutOfBudget: the call could overrun. :raises Unavailable, InputError: as the model says.
        """
        before = self.transcript.recall(question)
        if before is not None:
            self.recalled += 1
            self.account.usd += before.usd
            self.account.tokens += before.reply.use.total
            return before.reply
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._ask(question)
            except CutShort as cut:
                if attempt == _ATTEMPTS:
                    raise Unavailable(
                        "model-cut-short", str(cut), hint="run it again, or use --agent offline"
                    ) from None
                self.told(f"{cut}; asking again")
                self.wait(2.0**attempt)
        raise AssertionError

    def _ask(self, question: Question) -> Reply:
        started = self.clock.monotonic_s()
        reserved = self.account.reserve(question, elapsed_s=started - self.began_s)
        try:
            reply = self.model.reply(question, deadline_s=self._left_s(started))
        except (Unavailable, InputError):
            self.account.release(reserved)
            raise
        # What was cut short stays reserved in full: nobody said what it cost.
        usd = self.account.settle(reserved, reply.use)
        seconds = round(self.clock.monotonic_s() - started, 3)
        self.transcript.keep(Exchange(question=question, reply=reply, usd=usd, seconds=seconds))
        self.told(f"call {self.account.calls}: ${self.account.usd:.4f}, {self.account.tokens} tokens so far")
        return reply

    def _left_s(self, now_s: float) -> float:
        limit = self.account.budget.seconds
        return _REPLY_S if limit is None else min(_REPLY_S, max(1.0, limit - (now_s - self.began_s)))


def converse(
    conversation: Conversation,
    toolbox: Toolbox,
    *,
    model: str,
    system: str,
    opening: Sequence[Block],
    max_turns: int,
    max_output_tokens: int,
) -> str:
    """Let the model work until it proposes, gives up, or runs out of turns or money; why it ended."""
    turns = [Turn(role="user", content=tuple(opening))]
    reminded = False
    for _ in range(max_turns):
        question = Question(
            model=model,
            system=system,
            tools=toolbox.tools,
            turns=tuple(turns),
            max_output_tokens=max_output_tokens,
        )
        try:
            reply = conversation.ask(question)
        except OutOfBudget as out:
            return f"out of budget: {out}"
        if reply.stop == "refusal":
            return "the model refused"
        answers = _answers(reply, toolbox)
        if toolbox.done():
            return "proposed"
        if not answers:
            if reminded:
                return "the model proposed nothing"
            reminded = True
            answers = [_text(_GO_ON if reply.stop == "max_tokens" else _NO_PROPOSAL)]
        if reply.content:
            turns += [Turn(role="assistant", content=reply.content), Turn(role="user", content=tuple(answers))]
        else:  # it said nothing: what there is to say is said in the same turn
            turns[-1] = Turn(role="user", content=(*turns[-1].content, *answers))
    return f"no proposal after {max_turns} turns"


def _answers(reply: Reply, toolbox: Toolbox) -> list[Block]:
    answers: list[Block] = []
    for number, call in enumerate(reply.calls):
        if number >= _MOST_CALLS_A_TURN:
            answers.append(_result(call, f"at most {_MOST_CALLS_A_TURN} calls a turn; ask again", failed=True))
            continue
        if reply.stop == "max_tokens":  # the last call may be cut off in the middle of its arguments
            answers.append(_result(call, _GO_ON, failed=True))
            continue
        try:
            answers.append(_result(call, toolbox.use(str(call["name"]), call["input"]), failed=False))
        except InputError as error:
            words = f"{error.message}\n{error.detail}".strip()
            answers.append(_result(call, words, failed=True))
    return answers


def _result(call: Block, text: str, *, failed: bool) -> Block:
    short = text if len(text) <= _MOST_RESULT_CHARACTERS else f"{text[:_MOST_RESULT_CHARACTERS]}\n[cut]"
    body = {"type": "tool_result", "tool_use_id": str(call.get("id", "")), "content": short}
    return {**body, "is_error": True} if failed else body


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def as_json(value: Any) -> str:
    """For a tool's result: compact, in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
