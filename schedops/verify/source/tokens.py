"""C cut into tokens, each of which knows where it stood."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from schedops.model.verification import Place

MAX_LINE = 20_000  # tokens; what is longer is taken in pieces

NAME, NUMBER, STRING, SIGN, NEWLINE = "name", "number", "string", "sign", "newline"

# Every alternative is linear: an unterminated comment takes the rest, an unterminated string its line.
_TOKEN = re.compile(
    r"""
    (?P<skip>(?:[ \t\r\f\v]|\\\r?\n|//(?:\\\r?\n|[^\n])*|/\*(?:[\s\S]*?\*/|[\s\S]*\Z))+)
  | (?P<newline>\n)
  | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
  | (?P<string>"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?)
  | (?P<sign>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[\s\S])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A file as it was given.

    :param name: as the user knows it.
    """

    name: str
    text: str
    line_starts: tuple[int, ...]

    @classmethod
    def of(cls, name: str, text: str) -> Text:
        """With the starts of its lines."""
        return cls(name, text, (0, *(match.end() for match in re.finditer("\n", text))))

    def place(self, offset: int) -> Place:
        """Line and column of an offset."""
        line = bisect.bisect_right(self.line_starts, offset)
        return Place(file=self.name, line=line, column=offset - self.line_starts[line - 1] + 1)


class Token:
    """One token.

    :ivar origin: where the user wrote it, or wrote the macro that it came from.
    :ivar region: of conditional code that may or may not be compiled; 0 for code that always is.
    """

    __slots__ = ("end", "kind", "origin", "region", "start", "text")

    def __init__(self, kind: str, text: str, origin: Text, start: int, end: int, region: int = 0) -> None:
        self.kind = kind
        self.text = text
        self.origin = origin
        self.start = start
        self.end = end
        self.region = region

    def at(self, place: Token) -> Token:
        """The same, as if it had been written at *place*."""
        return Token(self.kind, self.text, place.origin, place.start, place.end, place.region)


def made(kind: str, text: str, place: Token) -> Token:
    """A token that nobody wrote, in place of one that somebody did."""
    return Token(kind, text, place.origin, place.start, place.end, place.region)


def lines(source: Text) -> Iterator[tuple[bool, list[Token]]]:
    """Logical lines, and whether each is a directive."""
    line: list[Token] = []
    for match in _TOKEN.finditer(source.text):
        kind = match.lastgroup
        if kind == "skip":
            continue
        if kind == NEWLINE:
            if line:
                yield line[0].text == "#", line
            line = []
            continue
        line.append(Token(str(kind), match.group(), source, match.start(), match.end()))
        if len(line) >= MAX_LINE:
            yield line[0].text == "#", line
            line = []
    if line:
        yield line[0].text == "#", line
