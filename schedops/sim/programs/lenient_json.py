"""JSON as files of rt-app are written: with comments, commas too many, keys that come back, keys without a value.

Strict JSON reads the same. What rt-app's own workgen repairs before it starts rt-app is taken as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from schedops.errors import InputError

MAX_DEPTH = 16
MAX_VALUES = 200_000
_SPACE = re.compile(r"(?:[ \t\r\n]+|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_TOKEN = re.compile(r'[{}\[\]:,]|"((?:[^"\\\n]|\\.)*)"|(-?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?)|([A-Za-z_]+)')
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A key with its value; *given* False: it has none."""

    key: str
    value: object
    line: int
    given: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """An object: pairs in the order of the file, keys may come back."""

    pairs: tuple[Pair, ...]
    line: int

    def get(self, key: str) -> Pair | None:
        """The last pair of that key, which is the one that counts in JSON."""
        return next((pair for pair in reversed(self.pairs) if pair.key == key), None)


def parse(text: str, *, where: str) -> Table:
    """The object in *text*. :raises InputError: ``bad-json`` with the line."""
    reader = _Reader(text, where)
    value = reader.value(0)
    if reader.token() or not isinstance(value, Table):
        raise reader.wrong("the file must be one object")
    return value


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.at, self.values = 0, 0
        self.line, self.counted = 1, 0
        self.kind, self.content = "", ""
        self.held = False

    def wrong(self, what: str) -> InputError:
        return InputError("bad-json", what, where=f"{self.where}:{self._line()}")

    def _line(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def token(self) -> str:
        """Kind of the next token: a mark, ``string``, ``number``, ``word``, or empty at the end."""
        if self.held:
            self.held = False
            return self.kind
        spaced = _SPACE.match(self.text, self.at)
        assert spaced  # it matches nothing as well
        self.at = spaced.end()
        if self.at == len(self.text):
            self.kind = ""
            return ""
        found = _TOKEN.match(self.text, self.at)
        if not found:
            raise self.wrong(f"{self.text[self.at : self.at + 1]!r} is not expected here")
        self.at = found.end()
        string, number, word = found.groups()
        self.kind = "string" if string is not None else "number" if number else "word" if word else found[0]
        self.content = string or number or word or ""
        return self.kind

    def value(self, depth: int) -> object:
        kind = self.token()
        self.values += 1
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            raise self.wrong(f"more than {MAX_DEPTH} levels or {MAX_VALUES} values")
        if kind == "{":
            return self._object(depth)
        if kind == "[":
            return self._list(depth)
        if kind == "string":
            return _unescaped(self.content)
        if kind == "number":
            return float(self.content) if set(self.content) & set(".eE") else int(self.content)
        if kind == "word" and self.content in _WORDS:
            return _WORDS[self.content]
        raise self.wrong(f"{self.content or kind or 'the end of the file'!r} is no value")

    def _object(self, depth: int) -> Table:
        line, pairs = self._line(), []
        while (kind := self.token()) != "}":
            if kind == ",":
                continue
            if kind != "string":
                raise self.wrong(f"a key is expected, not {self.content or kind or 'the end of the file'!r}")
            key, place = _unescaped(self.content), self._line()
            if self.token() == ":":
                pairs.append(Pair(key, self.value(depth + 1), place))
            else:
                self.held = True
                pairs.append(Pair(key, None, place, given=False))
        return Table(tuple(pairs), line)

    def _list(self, depth: int) -> tuple[object, ...]:
        found = []
        while (kind := self.token()) != "]":
            if kind != ",":
                self.held = True
                found.append(self.value(depth + 1))
        return tuple(found)


def _unescaped(content: str) -> str:
    if "\\" not in content:
        return content

    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])

    found = re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", plain, content)
    # Two halves of a character are written apart; a half without the other is none.
    return found.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace")
