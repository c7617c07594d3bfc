"""Just enough of BTF to see which functions a kernel offers to policies, and with which parameters.

Format: Documentation/bpf/btf.rst of the Linux kernel. The bytes may be anything: everything is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from schedops.errors import InputError

MAX_TYPES = 2_000_000
_MAGIC = 0xEB9F

_PTR, _STRUCT, _FWD, _VOLATILE, _CONST, _FUNC, _FUNC_PROTO, _DECL_TAG = 2, 4, 7, 9, 10, 12, 13, 17
# kind -> (fixed bytes, bytes per member) after the common 12
_SIZES = {
    1: (4, 0),  # INT
    _PTR: (0, 0),
    3: (12, 0),  # ARRAY
    _STRUCT: (0, 12),
    5: (0, 12),  # UNION
    6: (0, 8),  # ENUM
    _FWD: (0, 0),
    8: (0, 0),  # TYPEDEF
    _VOLATILE: (0, 0),
    _CONST: (0, 0),
    11: (0, 0),  # RESTRICT
    _FUNC: (0, 0),
    _FUNC_PROTO: (0, 8),
    14: (4, 0),  # VAR
    15: (0, 12),  # DATASEC
    16: (0, 0),  # FLOAT
    _DECL_TAG: (4, 0),
    18: (0, 0),  # TYPE_TAG
    19: (0, 12),  # ENUM64
}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a function: its name, and the name of the struct it points to (empty for anything else)."""

    name: str
    points_to: str


@dataclass(frozen=True, slots=True)
class Function:
    """A kernel function as BTF describes it. *kfunc*: marked for use by BPF programs."""

    name: str
    params: tuple[Param, ...]
    kfunc: bool


class Btf:
    """The types of one kernel."""

    def __init__(self, data: bytes, *, where: str = "") -> None:
        """:raises InputError: ``bad-btf`` with the offset where it stopped making sense."""
        self._data = data
        self._where = where
        self._strings = b""
        self._at: list[tuple[int, int]] = [(0, 0)]  # type id -> (offset, kind); id 0 is void
        self._scan(*self._header())

    def functions(self, prefix: str) -> tuple[Function, ...]:
        """All functions whose names begin with *prefix*, in order of name."""
        wanted = prefix.encode()
        marked = self._marked_kfuncs()
        found = []
        for type_id, (offset, kind) in enumerate(self._at):
            if kind == _FUNC and self._starts_with(offset, wanted):
                name_at, _, proto = struct.unpack_from("<III", self._data, offset)
                found.append(Function(self._string(name_at, offset), self._params(proto), type_id in marked))
        return tuple(sorted(found, key=lambda function: function.name))

    def has_struct(self, name: str) -> bool:
        """There is a struct of that name."""
        wanted = name.encode() + b"\0"
        return any(kind == _STRUCT and self._starts_with(offset, wanted) for offset, kind in self._at[1:])

    def _header(self) -> tuple[int, int]:
        if len(self._data) < 24:
            raise self._bad(f"{len(self._data)} bytes are too few for a BTF header", 0)
        magic, version, _, length, types, types_size, strings, strings_size = struct.unpack_from(
            "<HBBIIIII", self._data
        )
        if magic != _MAGIC or version != 1:
            raise self._bad(f"magic {magic:#06x}, version {version}: not BTF version 1", 0)
        if length + types + types_size > len(self._data) or length + strings + strings_size > len(self._data):
            raise self._bad("types or strings end outside the section", 8)
        self._strings = self._data[length + strings : length + strings + strings_size]
        return length + types, length + types + types_size

    def _scan(self, start: int, end: int) -> None:
        offset = start
        add = self._at.append
        while offset < end:
            if offset + 12 > end or len(self._at) > MAX_TYPES:
                raise self._bad("a type ends outside the types", offset)
            (info,) = struct.unpack_from("<I", self._data, offset + 4)
            kind = info >> 24 & 31
            sizes = _SIZES.get(kind)
            if sizes is None:
                raise self._bad(f"unknown kind {kind}", offset)
            add((offset, kind))
            offset += 12 + sizes[0] + sizes[1] * (info & 0xFFFF)
        if offset != end:
            raise self._bad("the last type ends outside the types", offset)

    def _starts_with(self, offset: int, wanted: bytes) -> bool:
        (name_at,) = struct.unpack_from("<I", self._data, offset)
        return self._strings.startswith(wanted, name_at)

    def _string(self, name_at: int, offset: int) -> str:
        end = self._strings.find(b"\0", name_at)
        if name_at >= len(self._strings) or end < 0:
            raise self._bad(f"name {name_at} is not among the strings", offset)
        return self._strings[name_at : min(end, name_at + 512)].decode("latin-1")

    def _type(self, type_id: int, offset: int) -> tuple[int, int]:
        if type_id >= len(self._at):
            raise self._bad(f"type {type_id} does not exist", offset)
        return self._at[type_id]

    def _marked_kfuncs(self) -> frozenset[int]:
        tags = (offset for offset, kind in self._at if kind == _DECL_TAG and self._starts_with(offset, b"bpf_kfunc\0"))
        return frozenset(struct.unpack_from("<I", self._data, offset + 8)[0] for offset in tags)

    def _params(self, proto: int) -> tuple[Param, ...]:
        offset, kind = self._type(proto, 0)
        if kind != _FUNC_PROTO:
            raise self._bad(f"type {proto} is not a function's prototype", offset)
        return tuple(self._each_param(offset))

    def _each_param(self, offset: int) -> Iterator[Param]:
        (info,) = struct.unpack_from("<I", self._data, offset + 4)
        for at in range(offset + 12, offset + 12 + 8 * (info & 0xFFFF), 8):
            name_at, type_id = struct.unpack_from("<II", self._data, at)
            yield Param(self._string(name_at, at), self._pointee(type_id, at))

    def _pointee(self, type_id: int, at: int) -> str:
        offset, kind = self._type(type_id, at)
        if kind != _PTR:
            return ""
        for _ in range(4):  # through const and volatile; a chain without end is no pointer to a struct
            offset, kind = self._type(struct.unpack_from("<I", self._data, offset + 8)[0], offset)
            if kind not in (_VOLATILE, _CONST):
                break
        if kind not in (_STRUCT, _FWD):
            return ""
        return self._string(struct.unpack_from("<I", self._data, offset)[0], offset)

    def _bad(self, message: str, offset: int) -> InputError:
        return InputError("bad-btf", f"BTF offset {offset:#x}: {message}", where=self._where)
