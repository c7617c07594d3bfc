"""Claude's door against the API on loopback."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schedops.adapters.llm.anthropic_model import AnthropicModel
from schedops.agent.claude.dialogue import CutShort
from schedops.agent.claude.tools import ALL
from schedops.errors import InputError, SchedopsError, Unavailable
from schedops.model.conversation import Question, TokenUse, Turn
from tests.fakes.messages_api import KEY, MessagesApi, Said, Status, call, messages_api, text

QUESTION = Question(
    model="claude-sonnet-5-5",
    system="Plan.",
    tools=ALL,
    turns=(Turn(role="user", content=({"type": "text", "text": "the workload"},)),),
    max_output_tokens=1000,
)


def ask(api: MessagesApi, *, retries: int = 0, deadline_s: float = 10.0, question: Question = QUESTION):
    return AnthropicModel(KEY, base_url=api.url, retries=retries).reply(question, deadline_s=deadline_s)


def test_a_reply_comes_back_block_by_block_with_its_use():
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    said = Said([thought, text("I look."), call("show_policy", {"name": "fifo"})], cache_read=700)
    with messages_api([said]) as api:
        reply = ask(api)
    assert reply.content[0] == thought
    assert reply.text == "I look."
    assert [dict(one)["input"] for one in reply.calls] == [{"name": "fifo"}]
    assert reply.stop == "tool_use"
    assert reply.use == TokenUse(input_tokens=1000, cache_read_tokens=700, output_tokens=200)
    assert api.problems == []


def test_what_the_model_said_goes_back_as_it_came_and_the_api_takes_it():
    with messages_api([Said([text("hm"), call("show_policy", {"name": "fifo"})])]) as api:
        reply = ask(api)
        answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "fifo"}
        turns = (*QUESTION.turns, Turn(role="assistant", content=reply.content), Turn(role="user", content=(answer,)))
        ask(api, question=Question(**{name: getattr(QUESTION, name) for name in QUESTION.__slots__} | {"turns": turns}))
    assert api.problems == []
    assert api.requests[1]["messages"][1]["content"] == [text("hm"), call("show_policy", {"name": "fifo"})]


def test_the_prompt_is_cached():
    with messages_api([Said([text("ok")], stop="end_turn")]) as api:
        ask(api)
    assert api.requests[0]["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert api.requests[0]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize(
    "errors",
    [
        [Status(429, "rate_limit_error", {"retry-after": "0"})],
        [Status(529, "overloaded_error", {"retry-after": "0"}), Status(500, "api_error", {"retry-after": "0"})],
    ],
    ids=["429", "529 500"],
)
def test_what_was_not_answered_is_asked_again(errors: Sequence[Status]):
    with messages_api([*errors, Said([text("ok")], stop="end_turn")]) as api:
        assert ask(api, retries=2).text == "ok"
    assert len(api.requests) == len(errors) + 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status(429, "rate_limit_error", {"retry-after": "0"}), "model-unavailable"),
        (Status(529, "overloaded_error"), "model-unavailable"),
        (Status(400, "invalid_request_error"), "model-refused-request"),
        (Status(401, "authentication_error"), "model-refused-request"),
        (Status(404, "not_found_error"), "model-refused-request"),
    ],
    ids=lambda value: str(getattr(value, "code", value)),
)
def test_errors_have_a_name_and_never_the_key(status: Status, code: str):
    with messages_api([status]) as api, pytest.raises(SchedopsError) as failed:
        ask(api)
    assert failed.value.code == code
    assert KEY not in failed.value.message
    assert "[key]" in failed.value.message


def test_an_error_that_is_cut_in_the_middle_of_the_key_has_no_half_of_it():
    lengths = range(0, 300, 8)
    with messages_api([Status(400, "x" * length) for length in lengths]) as api:
        for _ in lengths:
            with pytest.raises(SchedopsError) as failed:
                ask(api)
            assert KEY[:10] not in failed.value.message


@pytest.mark.parametrize("events", [1, 3, 5])
def test_a_stream_that_breaks_off_is_cut_short(events: int):
    with messages_api([Said([text("a long story")], cut_after=events)]) as api, pytest.raises(CutShort):
        ask(api)


def test_an_error_in_the_middle_of_a_stream_is_cut_short_too():
    with messages_api([Said([text("well")], error="overloaded_error")]) as api, pytest.raises(CutShort):
        ask(api)


def test_a_stream_that_drips_is_closed():
    said = Said([text("drip")] * 30, pause_s=0.05)
    with messages_api([said]) as api, pytest.raises(CutShort, match="more than 0 s"):
        ask(api, deadline_s=0.2)


def test_a_reply_without_end_is_not_read():
    said = Said([text("x" * 50)] * 300)
    with messages_api([said]) as api, pytest.raises(CutShort, match="larger"):
        ask(api)


def test_nobody_there():
    with messages_api([]) as api:
        url = api.url
    with pytest.raises(Unavailable):
        AnthropicModel(KEY, base_url=url, retries=0).reply(QUESTION, deadline_s=5.0)


def test_no_key():
    with pytest.raises(InputError, match="ANTHROPIC_API_KEY is not set"):
        AnthropicModel("")


def test_a_key_is_not_sent_in_the_clear():
    with pytest.raises(InputError) as refused:
        AnthropicModel(KEY, base_url="http://models.example.org")
    assert refused.value.code == "secret-in-the-clear"


def test_the_fake_refuses_what_the_api_would():
    wrong = Question(**{name: getattr(QUESTION, name) for name in QUESTION.__slots__} | {"max_output_tokens": "many"})
    with messages_api([Said([text("ok")])]) as api, pytest.raises(InputError):
        ask(api, question=wrong)
    assert api.problems
