"""Text to a JSON value, refusing by name what YAML and JSON readers silently guess at.

YAML is read as YAML 1.2 reads it: only ``true`` and ``false`` are booleans, so ``on``, ``yes`` and ``no`` are strings;
dates are strings; numbers are written as in JSON. Anchors, aliases, merge keys, tags, duplicate keys, keys that are not
strings, NaN, infinity, tabs and several documents in one file are problems.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from schedops.schema.problem import Problem, member, shown

MAX_DEPTH = 64
_MAX_DIGITS = 40
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_GUESSED_NUMBER = re.compile(r"[-+]?0[0-9_]+\Z|[-+]?0[xob][0-9A-Fa-f_]+\Z|[-+]?[0-9][0-9_]*_[0-9_]*\Z|\+[0-9.]+\Z")
# Terminal escapes and marks that turn the reading direction around; newline and tab are text.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_JSON_NOT_FINITE = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Parsed = tuple[Any, tuple[Problem, ...]]


class _Stop(Exception):
    """Reading further makes no sense."""


def parse(data: bytes) -> Parsed:
    """YAML, or JSON when the first character is ``{``: the value with everything that was wrong on the way.

    A value that came with problems is only good for finding more of them.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, (Problem("$", f"not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"),)
    if "\0" in text:
        return None, (Problem("$", f"line {_line(text, text.index(chr(0)))}: NUL byte"),)
    value, problems = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    return value, (*problems, *_walked(value, "$", 0))


def plain_meaning(text: str) -> Any:
    """What an unquoted YAML scalar means here: null, a boolean, a number, else the text itself.

    :raises ValueError: NaN, infinity, or a number in a form that other readers take for another one.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a number that JSON knows; NaN and infinity are refused")
    if _GUESSED_NUMBER.match(text):
        raise ValueError(f"{shown(text)} means different numbers to different readers; write plain digits or quote it")
    if not _FLOAT.match(text):
        return text
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    number = int(text) if _INTEGER.match(text) else float(text)
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _json(text: str) -> Parsed:
    problems: list[Problem] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            repeated = [key for key, times in Counter(key for key, _ in members).items() if times > 1]
            problems.extend(Problem("$", f"duplicate key {shown(key)}") for key in repeated)
        return found

    def number(word: str) -> Any:
        try:
            return plain_meaning(_JSON_NOT_FINITE.get(word, word))
        except ValueError as error:
            problems.append(Problem("$", str(error)))
            return 0

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=number, parse_int=number, parse_float=number)
    except json.JSONDecodeError as error:
        return None, (*problems, Problem("$", f"line {error.lineno}: {error.msg}"))
    except RecursionError:
        return None, (*problems, _too_deep())
    return value, tuple(dict.fromkeys(problems))


def _too_deep(line: int | None = None) -> Problem:
    return Problem("$", ("" if line is None else f"line {line}: ") + f"nested deeper than {MAX_DEPTH}")


def _walked(value: Any, path: str, depth: int) -> Iterator[Problem]:
    if depth > MAX_DEPTH:
        yield Problem(path[:200], f"nested deeper than {MAX_DEPTH}")
    elif isinstance(value, str):
        if bad := _UNSEEN.search(value):
            yield Problem(path, f"control character U+{ord(bad.group()):04X}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walked(inner, member(path, key), depth + 1)
    elif isinstance(value, list) and not all(isinstance(inner, int | float) for inner in value):
        for at, inner in enumerate(value):
            yield from _walked(inner, f"{path}[{at}]", depth + 1)


def _yaml(text: str) -> Parsed:
    import yaml  # noqa: PLC0415 - JSON documents do without

    builder = _Builder()
    tabs = [Problem("$", f"line {_line(text, text.index(chr(9)))}: tab; indent with spaces")] if "\t" in text else []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = builder.stream(yaml.parse(text, Loader=loader))
    except _Stop:
        value = None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark is not None else ""
        builder.problems.append(Problem("$", f"{line}{error.problem or error.context}"))
        value = None
    except yaml.YAMLError as error:
        builder.problems.append(Problem("$", str(error).splitlines()[0]))
        value = None
    return value, (*tabs, *builder.problems)


class _Builder:
    """Events of a YAML parser to a JSON value. Works on events, so that nothing is expanded before it is judged."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def stream(self, events: Iterator[Any]) -> Any:
        self._events = events
        value, documents = None, 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._say("$", event, "a second document in one file")
                    raise _Stop
                value = self._node(next(events), "$", 0)
        if not documents:
            self.problems.append(Problem("$", "the file is empty"))
        return value

    def _say(self, path: str, event: Any, message: str) -> None:
        self.problems.append(Problem(path, f"line {event.start_mark.line + 1}: {message}"))

    def _node(self, event: Any, path: str, depth: int) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent":
            self._say(path, event, f"alias *{event.anchor}; write the value out")
            return None
        if event.anchor is not None:
            self._say(path, event, f"anchor &{event.anchor}; write the value out where it is needed")
        if event.tag is not None:
            self._say(path, event, f"tag {shown(event.tag)}; tags are refused")
        if depth > MAX_DEPTH:
            self.problems.append(_too_deep(event.start_mark.line + 1))
            raise _Stop
        if kind == "MappingStartEvent":
            return self._mapping(path, depth)
        return self._sequence(path, depth) if kind == "SequenceStartEvent" else self._scalar(event, path)

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._key(event, path, depth)
            inner = path if key is None else member(path, key)
            value = self._node(next(self._events), inner, depth + 1)
            if key is not None and key in found:
                self._say(path, event, f"duplicate key {shown(key)}")
            elif key is not None:
                found[key] = value
        return found

    def _key(self, event: Any, path: str, depth: int) -> str | None:
        key = self._node(event, path, depth + 1)
        if key == "<<" and event.implicit[0]:
            self._say(path, event, "merge key <<; write the members out")
            return None
        if not isinstance(key, str):
            if type(event).__name__ != "AliasEvent":
                self._say(path, event, f"key {shown(key)} is not a string; write it in quotes")
            return None
        return key

    def _sequence(self, path: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            found.append(self._node(event, f"{path}[{len(found)}]", depth + 1))
        return found

    def _scalar(self, event: Any, path: str) -> Any:
        if event.tag is not None or not event.implicit[0]:
            return event.value
        try:
            return plain_meaning(event.value)
        except ValueError as error:
            self._say(path, event, str(error))
            return None
