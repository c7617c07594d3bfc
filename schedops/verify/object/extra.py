"""``.BTF.ext``: which line of the source an instruction comes from, and what the loader asks the kernel's BTF."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schedops import btf
from schedops.btf import BadBtf, Btf
from schedops.model.verification import Place
from schedops.verify.object.layout import printable

FIELD_EXISTS, TYPE_EXISTS, ENUM_EXISTS = 2, 8, 10
_ENUM_KINDS = (10, 11)
_FIELD_KINDS = range(6)
_LINES_AT, _RELOCATIONS_AT = 16, 24  # in the header: offset and length of each part
_MAX_LINES, _MAX_RELOCATIONS, _MAX_FILES = 1 << 17, 1 << 14, 1024  # of an object; the largest known has a tenth
_MAX_STEPS = 64
_MAX_PATH = 400


@dataclass(frozen=True, slots=True)
class Extra:
    """By name of a section, and offset in it."""

    lines: Mapping[str, Sequence[tuple[int, Place]]] = field(default_factory=dict)  # in order
    relocations: Mapping[str, Mapping[int, tuple[int, str]]] = field(default_factory=dict)  # kind, path

    def place(self, section: str, offset: int, begin: int) -> Place | None:
        """Of the instruction at *offset* in the function that begins at *begin*."""
        known = self.lines.get(section, ())
        at = bisect_right(known, offset, key=lambda entry: entry[0]) - 1
        return known[at][1] if at >= 0 and known[at][0] >= begin else None


def read_extra(types: Btf, data: bytes) -> Extra:
    """:raises BadBtf: it does not make sense."""
    if not data:
        return Extra()
    if len(data) < 24 or struct.unpack_from("<HB", data) != (0xEB9F, 1):
        raise BadBtf(".BTF.ext has no header of version 1", 0)
    (header,) = struct.unpack_from("<I", data, 4)
    lines = {name: _lines(types, rows) for name, rows in _parts(types, data, header, _LINES_AT, _MAX_LINES)}
    asked = (
        _parts(types, data, header, _RELOCATIONS_AT, _MAX_RELOCATIONS) if header >= _RELOCATIONS_AT + 8 else iter(())
    )
    return Extra(lines, {name: _relocations(types, rows) for name, rows in asked})


def _parts(
    types: Btf, data: bytes, header: int, at: int, left: int
) -> Iterator[tuple[str, list[tuple[int, int, int, int]]]]:
    offset, length = struct.unpack_from("<II", data, at) if len(data) >= at + 8 else (0, 0)
    if not length:
        return
    at, end = header + offset, header + offset + length
    if end > len(data) or length < 4:
        raise BadBtf(".BTF.ext: a part ends outside the section", at)
    (size,) = struct.unpack_from("<I", data, at)
    if not 16 <= size <= 256:
        raise BadBtf(f".BTF.ext: records of {size} bytes", at)
    at += 4
    while at < end:
        if at + 8 > end:
            raise BadBtf(".BTF.ext: a section ends outside its part", at)
        name_at, count = struct.unpack_from("<II", data, at)
        at += 8
        left -= count
        if left < 0 or at + count * size > end:
            raise BadBtf(f".BTF.ext: {count} records are too many, or end outside their part", at)
        yield types.string(name_at, at), [struct.unpack_from("<IIII", data, at + size * n) for n in range(count)]
        at += count * size


def _lines(types: Btf, rows: list[tuple[int, int, int, int]]) -> list[tuple[int, Place]]:
    files: dict[int, str] = {}
    for _, file_at, _, _ in rows:
        if file_at not in files:
            files[file_at] = printable(types.string(file_at, 0, longest=1024).rpartition("/")[2])
            if len(files) > _MAX_FILES:
                raise BadBtf(f".BTF.ext: lines of more than {_MAX_FILES} files", 0)
    places = ((at, Place(file=files[f], line=line >> 10, column=max(line & 1023, 1))) for at, f, _, line in rows)
    return sorted(places, key=lambda entry: entry[0])


def _relocations(types: Btf, rows: list[tuple[int, int, int, int]]) -> dict[int, tuple[int, str]]:
    return {at: (kind, printable(_path(types, kind, type_id, access))) for at, type_id, access, kind in rows}


def _path(types: Btf, kind: int, type_id: int, access: int) -> str:
    text = types.string(access, 0)
    if kind in _ENUM_KINDS:
        names = types.enumerators(types.stripped(type_id))
        return names[int(text)][0] if text.isdigit() and int(text) < len(names) else "?"
    if kind not in _FIELD_KINDS:
        return types.name(types.stripped(type_id, typedefs=False))
    steps = text.split(":")
    if not all(step.isdigit() for step in steps) or len(steps) > _MAX_STEPS:
        raise BadBtf(f"{text[:40]!r} is no way into a type", 0)
    type_id = types.stripped(type_id)
    path = [types.name(type_id)]
    for step in map(int, steps[1:]):
        type_id = _inner(types, types.stripped(type_id), step, path)
    return ".".join(path)[:_MAX_PATH]


def _inner(types: Btf, type_id: int, step: int, path: list[str]) -> int:
    if types.kind(type_id) == btf.ARRAY:
        return types.array(type_id)[0]
    members = types.members(type_id)
    if step >= len(members):
        raise BadBtf(f"type {type_id} has no member {step}", 0)
    if members[step].name:
        path.append(members[step].name)
    return members[step].type_id
