"""The Messages API on loopback: holds every request to the SDK's own types, plays whatever reply a test wants."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

KEY = "sk-ant-test-0123456789abcdef"
VERSION = "2026-10-21"  # of the API, as anthropic 2.12 sends it


@dataclass(frozen=True)
class Said:
    """A reply of the model.

    :param cut_after: events that are sent before the connection breaks; None: all of them.
    :param pause_s: between two events.
    :param error: an error event instead of the end of the stream.
    """

    content: Sequence[dict[str, Any]]
    stop: str = "tool_use"
    input_tokens: int = 1000
    output_tokens: int = 200
    cache_read: int = 0
    cut_after: int | None = None
    pause_s: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Status:
    """An HTTP error instead of a reply."""

    code: int
    kind: str
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[dict[str, Any], int], Said | Status]


@dataclass
class MessagesApi:
    """:param requests: that were right, in their order; *problems*: of those that were not."""

    script: Script
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last_results(self) -> list[dict[str, Any]]:
        """Tool results of the newest request."""
        return [one for one in self.requests[-1]["messages"][-1]["content"] if one["type"] == "tool_result"]


@contextmanager
def messages_api(script: Script | Sequence[Said | Status]) -> Iterator[MessagesApi]:
    """A server for the length of the context; a sequence is played in its order, its last entry again and again."""
    if not callable(script):
        replies = list(script)
        script = lambda _, number: replies[min(number, len(replies) - 1)]  # noqa: E731
    api = MessagesApi(script)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, api))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(name: str, arguments: Any, *, id_: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, api: MessagesApi, *arguments: Any) -> None:
        self._api = api
        super().__init__(*arguments)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        wrong = _problems(self.path, dict(self.headers), body)
        with self._api.lock:
            self._api.problems += wrong
            number = len(self._api.requests)
            self._api.requests.append(body)
            self._api.headers.append({name.lower(): value for name, value in self.headers.items()})
        reply = Status(400, "invalid_request_error") if wrong else self._api.script(body, number)
        if isinstance(reply, Status):
            self._status(reply)
        else:
            self._stream(reply, body)

    def _status(self, status: Status) -> None:
        error = {"type": "error", "error": {"type": status.kind, "message": f"{status.kind} for {KEY}"}}
        data = json.dumps(error).encode()
        self.send_response(status.code)
        for name, value in {"content-type": "application/json", **status.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, said: Said, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for number, event in enumerate(_events(said, body)):
            if number == said.cut_after:
                return
            try:
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            except OSError:  # the client has had enough
                return
            time.sleep(said.pause_s)


def _events(said: Said, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    usage = {
        "input_tokens": said.input_tokens,
        "output_tokens": 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": said.cache_read,
    }
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield {"type": "message_start", "message": message}
    yield {"type": "ping"}
    for index, block in enumerate(said.content):
        yield from _block(index, block)
    if said.error:
        yield {"type": "error", "error": {"type": said.error, "message": said.error}}
        return
    delta = {"stop_reason": said.stop, "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": said.output_tokens}}
    yield {"type": "message_stop"}


def _block(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    deltas: list[dict[str, Any]]
    if block["type"] == "tool_use":
        raw = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": raw[at : at + 4000]} for at in range(0, len(raw), 4000)]
    elif block["type"] == "thinking":
        start = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    else:
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": block["text"]}]
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _problems(path: str, headers: dict[str, str], body: Any) -> list[str]:
    found = [error.message[:300] for error in _validator().iter_errors(body)]
    lower = {name.lower(): value for name, value in headers.items()}
    if path != "/v1/messages":
        found.append(f"path {path}")
    if lower.get("authorization") != f"Bearer {KEY}" or lower.get("anthropic-version") != VERSION:
        found.append("key or version")
    found += _order(body.get("messages", []))
    return found


def _order(messages: list[dict[str, Any]]) -> list[str]:
    """What the API asks beyond its types: the user begins, every tool use is answered at once, and only those."""
    if not messages or messages[0]["role"] != "user":
        return ["the first message is the user's"]
    found = []
    for before, after in zip(messages, [*messages[1:], None], strict=True):
        asked = [one["id"] for one in before["content"] if one["type"] == "tool_use"]
        if after is None:
            found += ["tool_use without tool_result"] if asked else []
            continue
        answered = [one["tool_use_id"] for one in after["content"] if one["type"] == "tool_result"]
        found += [f"tool_use {asked} and tool_result {answered}"] if sorted(asked) != sorted(answered) else []
        found += ["two turns of one role"] if before["role"] == after["role"] else []
    return found


class _Lenient(GenerateJsonSchema):
    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        """Types that JSON has no schema for (files of the SDK) are not what is checked here."""
        return {}


@functools.cache
def _validator() -> Any:
    schema = TypeAdapter(MessageCreateParamsStreaming).json_schema(schema_generator=_Lenient)
    for one in [schema, *schema["$defs"].values()]:
        if one.get("type") == "object" and "properties" in one:
            one.setdefault("additionalProperties", False)  # an unknown body key is refused, as the API does
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
