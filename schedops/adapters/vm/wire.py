"""Words of the guest's port, taken apart. Whatever a guest says is hostile until it has passed through here.

The format is written down in ``schedops/guest/wire.c``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from schedops import proc

VERSION = 3
MAX_HEADER_BYTES = 64
MAX_REPLY_BYTES = 1 << 20
_HEADER = re.compile(rb"([0-9]{1,19}) (ok|err|ready) ([0-9]{1,7})\n")
_NUMBER = re.compile(r"[0-9]{1,19}")
_MAX_LINES = 4096


class Garbled(ValueError):
    """The guest said something that no guest of ours says."""


@dataclass(frozen=True, slots=True)
class Header:
    """:param kind: ok | err | ready."""

    sequence: int
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class Body:
    """Fields in the order they came, then free text without control characters."""

    fields: tuple[tuple[str, str], ...]
    text: str

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of *name*."""
        return tuple(value for key, value in self.fields if key == name)

    def one(self, name: str) -> str:
        """The only value of *name*.

        :raises Garbled: there is none, or several.
        """
        values = self.all(name)
        if len(values) != 1:
            raise Garbled(f"{len(values)} values of {name!r} where one is expected")
        return values[0]

    def number(self, name: str) -> int:
        """The only value of *name*, a whole number below 2**63."""
        return number(self.one(name))

    def bounded(self, name: str, most: int) -> int:
        """The only value of *name*, a whole number that is not above *most*."""
        value = self.number(name)
        if value > most:
            raise Garbled(f"{name!r} is {value}, and at most {most} can be")
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """The only value of *name*, one of *allowed*."""
        value = self.one(name)
        if value not in allowed:
            raise Garbled(f"{name!r} is {value[:40]!r}")
        return value

    def column(self, name: str, length: int) -> tuple[int, ...]:
        """The only value of *name*, as *length* numbers."""
        return numbers(self.one(name), length)


def parse_header(line: bytes) -> Header:
    """:raises Garbled: not a header, or one that promises too much."""
    match = _HEADER.fullmatch(line)
    if match is None:
        raise Garbled(f"no header: {proc.printable(line[:40])!r}")
    header = Header(int(match[1]), match[2].decode(), int(match[3]))
    if header.length > MAX_REPLY_BYTES:
        raise Garbled(f"a reply of {header.length} bytes")
    return header


def parse_body(data: bytes) -> Body:
    """:raises Garbled: a field without a name, or too many of them."""
    head, _, text = (b"\n" + data).partition(b"\n\n")
    lines = head.split(b"\n")[1:]
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > _MAX_LINES:
        raise Garbled(f"{len(lines)} fields")
    return Body(tuple(_field(line) for line in lines), proc.printable(text))


def number(word: str) -> int:
    """A whole number below 2**63. :raises Garbled: anything else."""
    if not _NUMBER.fullmatch(word) or int(word) >= 1 << 63:
        raise Garbled(f"not a number: {word[:40]!r}")
    return int(word)


def numbers(words: str, length: int) -> tuple[int, ...]:
    """*length* numbers. :raises Garbled: more, fewer, or something else."""
    found = words.split()
    if len(found) != length:
        raise Garbled(f"{len(found)} numbers where {length} are expected")
    return tuple(number(word) for word in found)


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b" ")
    if not re.fullmatch(rb"[a-z_.0-9]{1,40}", name):
        raise Garbled(f"no field: {proc.printable(line[:40])!r}")
    return name.decode(), proc.printable(value).strip()
