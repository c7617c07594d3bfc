"""What ``--output json`` prints: one object with the same keys for every command, errors included."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from schedops.errors import SchedopsError

ENVELOPE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command returns.

    :param data: JSON-able; what scripts read.
    :param text: what people read, without a final newline.
    """

    data: Any
    text: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as data."""

    code: str
    message: str
    where: str = ""
    hint: str = ""
    detail: str = field(default="")


def failure_of(error: SchedopsError) -> Failure:
    """The parts of an error that travel."""
    return Failure(error.code, error.message, error.where, error.hint, error.detail)


def render_json(command: str, answer: Answer, failures: tuple[Failure, ...] = ()) -> str:
    """The envelope: version, command, status, exit_code, data, errors."""
    status = "error" if failures else _STATUS.get(answer.exit_code, "error")
    envelope = {
        "version": ENVELOPE_VERSION,
        "command": command,
        "status": status,
        "exit_code": answer.exit_code,
        "data": answer.data,
        "errors": [
            {key: getattr(failure, key) for key in ("code", "message", "where", "hint", "detail")}
            for failure in failures
        ],
    }
    return json.dumps(envelope, indent=2, sort_keys=False, allow_nan=False)


def render_failure(failure: Failure) -> str:
    """An error as people read it: what, where, what to do next."""
    lines = [f"error[{failure.code}]: {failure.message}"]
    if failure.where:
        lines.append(f"  where: {failure.where}")
    if failure.detail:
        lines += [f"    {line}" for line in failure.detail.splitlines()]
    if failure.hint:
        lines.append(f"  try:   {failure.hint}")
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """File names and what tools said may hold anything, and this goes to a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else " " for c in line.replace("\n", " "))


_STATUS = {0: "ok", 1: "fail", 3: "inconclusive"}
