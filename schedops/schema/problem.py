"""One thing wrong with a document, and how all of them are told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schedops.errors import InputError

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MAX_MESSAGE = 300
_MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """:param path: where in the document, ``$.guards[0].metric``."""

    path: str
    message: str


def member(path: str, key: str) -> str:
    """Path of a member of an object."""
    return f"{path}.{key}" if _PLAIN_KEY.match(key) else f"{path}[{shown(key)}]"


def shown(value: object) -> str:
    """A value in a message: bounded, without control characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def line_of(where: str, problem: Problem) -> str:
    """``file::$.path: message`` on one line."""
    message = " ".join(problem.message.split())
    return f"{where}::{problem.path}: {message[:_MAX_MESSAGE]}"


def invalid(lines: Iterable[str], *, where: str, hint: str = "") -> InputError:
    """The error that carries all problems of one or several documents, one a line in *detail*."""
    found = tuple(dict.fromkeys(lines))
    many = f"{len(found)} problems" if len(found) != 1 else "1 problem"
    more = [f"... and {len(found) - _MAX_PROBLEMS} more"] if len(found) > _MAX_PROBLEMS else []
    detail = "\n".join([*found[:_MAX_PROBLEMS], *more])
    return InputError("invalid-document", f"{where}: {many}", where=where, detail=detail, hint=hint)
