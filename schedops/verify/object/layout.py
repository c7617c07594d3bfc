"""The parts of an ELF file for BPF: sections, symbols, relocations. The bytes may be anything.

Written by hand, as every count and offset has to be held against the file before it is used, and a section header
with lies in it must cost neither time nor memory.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

MAX_BYTES = 8 << 20
_MAX_SECTIONS = 4096
_MAX_SYMBOLS = 1 << 16
_MAX_RELOCATIONS = 1 << 17
_MAX_NAME = 256
_UNPRINTABLE = re.compile(r"[^ -~]")

_UNIQUE = frozenset({".BTF", ".BTF.ext", ".maps", ".struct_ops", ".struct_ops.link", "license", ".rodata"})

NOBITS = 8
_SYMTAB, _RELA, _REL = 2, 4, 9
WRITE, ALLOC, EXEC = 1, 2, 4
UNDEFINED = 0
LOCAL, GLOBAL, WEAK = 0, 1, 2
NOTYPE, OBJECT, FUNC, SECTION = 0, 1, 2, 3


class BadObject(ValueError):
    """It is no BPF object that can be judged; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Section:
    """*data* is empty for one that takes no room in the file (``.bss``); *size* is what it says it has."""

    name: str
    kind: int
    flags: int
    offset: int
    size: int
    data: bytes

    @property
    def is_code(self) -> bool:
        """Instructions."""
        return bool(self.flags & EXEC) and self.kind != NOBITS


@dataclass(frozen=True, slots=True)
class Symbol:
    """*section*: index; 0 for what another object or the kernel has."""

    name: str
    value: int
    size: int
    bind: int
    kind: int
    section: int


@dataclass(frozen=True, slots=True)
class Layout:
    """:param relocations: index of a section -> offset in it -> the symbol meant there."""

    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    relocations: Mapping[int, Mapping[int, Symbol]]

    def find(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def index(self, name: str) -> int:
        """Of the first section of that name; 0 when there is none."""
        return next((at for at, section in enumerate(self.sections) if section.name == name), 0)


def read_layout(elf: bytes) -> Layout:
    """:raises BadObject: it is no little-endian ELF file for BPF, or it points outside of itself."""
    if len(elf) > MAX_BYTES:
        raise BadObject(f"the object has {len(elf)} bytes, at most {MAX_BYTES} are looked at")
    if len(elf) < 64 or elf[:4] != b"\x7fELF":
        raise BadObject("not an ELF file")
    if elf[4:6] != b"\x02\x01":
        raise BadObject("not a 64-bit little-endian ELF file")
    kind, machine = struct.unpack_from("<HH", elf, 16)
    if machine != 247 or kind != 1:
        raise BadObject("an ELF file, but not a relocatable one for BPF (`clang -target bpf -c`)")
    rows = _rows(elf)
    (names_at,) = struct.unpack_from("<H", elf, 0x3E)
    names = _data(elf, rows[names_at], "names") if names_at < len(rows) else b""
    sections = tuple(_section(elf, row, names) for row in rows)
    _each_once(sections)
    symbols = _symbols(rows, sections)
    return Layout(sections, symbols, _relocations(rows, sections, symbols))


def _each_once(sections: tuple[Section, ...]) -> None:
    """Of two sections with one of these names a loader takes the one and a reader the other."""
    seen = set()
    for section in sections:
        if section.name in _UNIQUE and section.name in seen:
            raise BadObject(f"it has two sections called {section.name}")
        seen.add(section.name)


def _rows(elf: bytes) -> list[tuple[int, ...]]:
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3A)
    if size != 64 or not 0 < count <= _MAX_SECTIONS or table + 64 * count > len(elf):
        raise BadObject(f"its table of {count} sections at {table:#x} is not in the file")
    return [struct.unpack_from("<IIQQQQIIQQ", elf, table + 64 * at) for at in range(count)]


def _section(elf: bytes, row: tuple[int, ...], names: bytes) -> Section:
    name = string_at(names, row[0])
    if row[1] == NOBITS:
        return Section(name, row[1], row[2], 0, row[5], b"")
    return Section(name, row[1], row[2], row[4], row[5], _data(elf, row, name))


def _data(elf: bytes, row: tuple[int, ...], name: str) -> bytes:
    _, kind, _, _, offset, size = row[:6]
    if kind in (0, NOBITS):
        return b""
    if offset + size > len(elf):
        raise BadObject(f"section {name!r} ends outside the file")
    return elf[offset : offset + size]


def string_at(names: bytes, at: int) -> str:
    """A name of a string table: printable, and cut when it is long."""
    end = names.find(b"\0", at)
    return printable(names[at : min(end if end >= 0 else len(names), at + _MAX_NAME)].decode("latin-1"))


def printable(text: str) -> str:
    """Nothing in it can steer a terminal."""
    return _UNPRINTABLE.sub("?", text)


def _symbols(rows: list[tuple[int, ...]], sections: tuple[Section, ...]) -> tuple[Symbol, ...]:
    tables = [at for at, section in enumerate(sections) if section.kind == _SYMTAB]
    if len(tables) > 1:
        raise BadObject("it has several symbol tables")
    if not tables:
        return ()
    data, link = sections[tables[0]].data, rows[tables[0]][6]
    if len(data) > 24 * _MAX_SYMBOLS or link >= len(sections):
        raise BadObject("its symbol table is too large, or has no names")
    names = sections[link].data
    whole = data[: len(data) // 24 * 24]
    return tuple(
        Symbol(string_at(names, name), value, size, info >> 4, info & 15, section)
        for name, info, _, section, value, size in struct.iter_unpack("<IBBHQQ", whole)
    )


def _relocations(
    rows: list[tuple[int, ...]], sections: tuple[Section, ...], symbols: tuple[Symbol, ...]
) -> dict[int, dict[int, Symbol]]:
    found: dict[int, dict[int, Symbol]] = {}
    left = _MAX_RELOCATIONS
    for row, section in zip(rows, sections, strict=True):
        target = row[7]
        if section.kind == _RELA:
            raise BadObject(f"section {section.name!r}: relocations with addends are not for BPF")
        # Debug information has more relocations than all else, and nobody here reads it.
        if section.kind != _REL or target >= len(sections) or _is_debug(sections[target].name):
            continue
        left -= len(section.data) // 16
        if left < 0:
            raise BadObject(f"more than {_MAX_RELOCATIONS} relocations")
        places = found.setdefault(target, {})
        for offset, info in struct.iter_unpack("<QQ", section.data[: len(section.data) // 16 * 16]):
            if info >> 32 >= len(symbols):
                raise BadObject(f"section {section.name!r} names symbol {info >> 32}, which does not exist")
            places[offset] = symbols[info >> 32]
    return found


def _is_debug(name: str) -> bool:
    return name.startswith(".debug_")
