"""Reads BTF, the type information of kernels and of BPF objects. Pure.

Format: Documentation/bpf/btf.rst of the Linux kernel. The bytes may be anything: everything is checked, nothing is
followed further than a bound, and types are looked at only when they are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TYPES = 2_000_000
_MAGIC = 0xEB9F
_MAX_NAME = 128
_MAX_PARAMS = 64
_MAX_STEPS = 32  # modifiers and typedefs on the way to a type; longer chains are made to keep us busy

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF = 1, 2, 3, 4, 5, 6, 7, 8
VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC = 9, 10, 11, 12, 13, 14, 15
FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = 16, 17, 18, 19
MODIFIERS = frozenset({VOLATILE, CONST, RESTRICT, TYPE_TAG})
# kind -> (fixed bytes, bytes per member) after the common 12
_SIZES = {
    INT: (4, 0),
    PTR: (0, 0),
    ARRAY: (12, 0),
    STRUCT: (0, 12),
    UNION: (0, 12),
    ENUM: (0, 8),
    FWD: (0, 0),
    TYPEDEF: (0, 0),
    VOLATILE: (0, 0),
    CONST: (0, 0),
    RESTRICT: (0, 0),
    FUNC: (0, 0),
    FUNC_PROTO: (0, 8),
    VAR: (4, 0),
    DATASEC: (0, 12),
    FLOAT: (0, 0),
    DECL_TAG: (4, 0),
    TYPE_TAG: (0, 0),
    ENUM64: (0, 12),
}
_TAGGED = {STRUCT: "struct", UNION: "union", ENUM: "enum", ENUM64: "enum", FWD: "struct"}


class BadBtf(ValueError):
    """It stopped making sense at *offset*."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"BTF offset {offset:#x}: {message}")
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Member:
    """Of a struct, a union or a section: where it begins, in bits (of a section: in bytes)."""

    name: str
    type_id: int
    offset: int
    size: int = 0  # of a section's variable, in bytes


class Btf:
    """The types of one kernel or object. Type 0 is void."""

    def __init__(self, data: bytes) -> None:
        """:raises BadBtf: header or types do not make sense."""
        self._data = data
        self._strings = b""
        self._at: list[tuple[int, int]] = [(0, 0)]  # type id -> (offset, kind)
        # What was read once; a hostile file asks for the same large type again and again.
        self._members: dict[int, tuple[Member, ...]] = {}
        self._enumerators: dict[int, tuple[tuple[str, int], ...]] = {}
        self._scan(*self._header())

    def __len__(self) -> int:
        return len(self._at)

    def ids(self, *kinds: int) -> Iterator[int]:
        """The types of these kinds, in order."""
        return (type_id for type_id, (_, kind) in enumerate(self._at) if kind in kinds)

    def kind(self, type_id: int) -> int:
        """One of the constants above; 0 for void."""
        return self._type(type_id)[1]

    def name(self, type_id: int) -> str:
        """Its name; empty when it has none."""
        offset, kind = self._type(type_id)
        return self.string(self._words(offset)[0], offset) if kind else ""

    def named(self, type_id: int, beginning: bytes) -> bool:
        r"""The name begins with *beginning*; end it with ``\0`` for the whole name. Quicker than to read it."""
        offset, kind = self._type(type_id)
        return bool(kind) and self._strings.startswith(beginning, self._words(offset)[0])

    def count(self, type_id: int) -> int:
        """How many members, parameters or enumerators it has."""
        offset, kind = self._type(type_id)
        return self._words(offset)[1] & 0xFFFF if kind else 0

    def flag(self, type_id: int) -> int:
        """The kind's flag (of a struct: it has bit fields; of a forward: it is a union), or the linkage of a FUNC."""
        offset, kind = self._type(type_id)
        info = self._words(offset)[1] if kind else 0
        return info & 0xFFFF if kind == FUNC else info >> 31

    def target(self, type_id: int) -> int:
        """What a pointer, modifier, typedef, function, variable or tag is of; the size of any other."""
        offset, kind = self._type(type_id)
        return self._words(offset)[2] if kind else 0

    def stripped(self, type_id: int, *, typedefs: bool = True) -> int:
        """Without const, volatile, tags and, unless told otherwise, typedefs."""
        for _ in range(_MAX_STEPS):
            kind = self.kind(type_id)
            if kind not in MODIFIERS and not (typedefs and kind == TYPEDEF):
                return type_id
            type_id = self.target(type_id)
        raise BadBtf(f"type {type_id} is a chain without end", self._type(type_id)[0])

    def members(self, type_id: int) -> tuple[Member, ...]:
        """Of a STRUCT, UNION or DATASEC; none of anything else."""
        if type_id not in self._members:
            self._members[type_id] = self._read_members(type_id)
        return self._members[type_id]

    def _read_members(self, type_id: int) -> tuple[Member, ...]:
        offset, kind = self._type(type_id)
        if kind not in (STRUCT, UNION, DATASEC):
            return ()
        rows = struct.iter_unpack("<III", self._data[offset + 12 : offset + 12 + 12 * self.count(type_id)])
        if kind == DATASEC:
            return tuple(Member(self.name(var), var, at, size) for var, at, size in rows)
        mask = 0xFFFFFF if self.flag(type_id) else 0xFFFFFFFF
        return tuple(Member(self.string(name, offset), of, at & mask) for name, of, at in rows)

    def params(self, type_id: int) -> tuple[tuple[str, int], ...]:
        """(name, type) of a FUNC_PROTO's parameters.

        :raises BadBtf: it is something else.
        """
        offset, kind = self._type(type_id)
        if kind != FUNC_PROTO:
            raise BadBtf(f"type {type_id} is not a function's prototype", offset)
        count = self.count(type_id)
        if count > _MAX_PARAMS:
            raise BadBtf(f"a function with {count} parameters", offset)
        rows = struct.iter_unpack("<II", self._data[offset + 12 : offset + 12 + 8 * count])
        return tuple((self.string(name, offset), of) for name, of in rows)

    def enumerators(self, type_id: int) -> tuple[tuple[str, int], ...]:
        """(name, value as unsigned 64 bits) of an ENUM or ENUM64; none of anything else."""
        if type_id not in self._enumerators:
            self._enumerators[type_id] = self._read_enumerators(type_id)
        return self._enumerators[type_id]

    def _read_enumerators(self, type_id: int) -> tuple[tuple[str, int], ...]:
        offset, kind = self._type(type_id)
        if kind == ENUM:
            form = "<Ii" if self.flag(type_id) else "<II"
            rows = struct.iter_unpack(form, self._data[offset + 12 : offset + 12 + 8 * self.count(type_id)])
            return tuple((self.string(name, offset), value & 0xFFFFFFFFFFFFFFFF) for name, value in rows)
        if kind == ENUM64:
            wide = struct.iter_unpack("<III", self._data[offset + 12 : offset + 12 + 12 * self.count(type_id)])
            return tuple((self.string(name, offset), low | high << 32) for name, low, high in wide)
        return ()

    def array(self, type_id: int) -> tuple[int, int]:
        """(type of an element, how many) of an ARRAY. :raises BadBtf: it is something else."""
        offset, kind = self._type(type_id)
        if kind != ARRAY:
            raise BadBtf(f"type {type_id} is not an array", offset)
        element, _, length = struct.unpack_from("<III", self._data, offset + 12)
        return element, length

    def component(self, type_id: int) -> int:
        """Which parameter or member a DECL_TAG is of; -1 for the whole."""
        return int(struct.unpack_from("<i", self._data, self._type(type_id)[0] + 12)[0])

    def size(self, type_id: int) -> int:
        """In bytes; 0 for void, functions and what is only declared. :raises BadBtf: a chain without end."""
        many = 1
        for _ in range(_MAX_STEPS):
            type_id = self.stripped(type_id)
            kind = self.kind(type_id)
            if kind == ARRAY:
                type_id, length = self.array(type_id)
                many *= length
            elif kind == PTR:
                return many * 8
            else:
                return many * self.target(type_id) if kind in (INT, STRUCT, UNION, ENUM, ENUM64, FLOAT) else 0
        raise BadBtf(f"type {type_id} is an array of arrays without end", 0)

    def spelled(self, type_id: int) -> str:
        """As C would write it without the name: ``const struct cpumask *``, ``u64``. A const pointer is a pointer."""
        stars = before = dimensions = ""
        for _ in range(_MAX_STEPS):
            kind = self.kind(type_id)
            if kind == ARRAY:
                type_id, length = self.array(type_id)
                dimensions += f"[{length}]"
                continue
            if kind == PTR:
                stars += "*"
            elif kind == CONST:
                before = "const " if self.kind(self.target(type_id)) != PTR else before
            elif kind not in (VOLATILE, RESTRICT, TYPE_TAG):
                return before + self._base(type_id) + (f" {stars}" if stars else "") + dimensions
            type_id = self.target(type_id)
        return "?"

    def string(self, name_at: int, offset: int, *, longest: int = _MAX_NAME) -> str:
        """A string of the string section, cut when it is longer than *longest*.

        :param offset: who asks, for the message.
        """
        end = self._strings.find(b"\0", name_at)
        if name_at >= len(self._strings) or end < 0:
            raise BadBtf(f"name {name_at} is not among the strings", offset)
        return self._strings[name_at : min(end, name_at + longest)].decode("latin-1")

    def _base(self, type_id: int) -> str:
        kind = self.kind(type_id)
        if kind in (0, FUNC_PROTO):
            return "void" if not kind else "function"
        word = "union" if kind == FWD and self.flag(type_id) else _TAGGED.get(kind, "")
        return f"{word} {self.name(type_id)}".strip()

    def _type(self, type_id: int) -> tuple[int, int]:
        if type_id >= len(self._at):
            raise BadBtf(f"type {type_id} does not exist", 0)
        return self._at[type_id]

    def _words(self, offset: int) -> tuple[int, int, int]:
        return struct.unpack_from("<III", self._data, offset)

    def _header(self) -> tuple[int, int]:
        if len(self._data) < 24:
            raise BadBtf(f"{len(self._data)} bytes are too few for a BTF header", 0)
        magic, version, _, length, types, types_size, strings, strings_size = struct.unpack_from(
            "<HBBIIIII", self._data
        )
        if magic != _MAGIC or version != 1:
            raise BadBtf(f"magic {magic:#06x}, version {version}: not BTF version 1", 0)
        if length + types + types_size > len(self._data) or length + strings + strings_size > len(self._data):
            raise BadBtf("types or strings end outside the section", 8)
        self._strings = self._data[length + strings : length + strings + strings_size]
        return length + types, length + types + types_size

    def _scan(self, start: int, end: int) -> None:
        offset = start
        add = self._at.append
        unpack = struct.Struct("<I").unpack_from
        while offset < end:
            if offset + 12 > end or len(self._at) > MAX_TYPES:
                raise BadBtf("a type ends outside the types", offset)
            (info,) = unpack(self._data, offset + 4)
            kind = info >> 24 & 31
            sizes = _SIZES.get(kind)
            if sizes is None:
                raise BadBtf(f"unknown kind {kind}", offset)
            add((offset, kind))
            offset += 12 + sizes[0] + sizes[1] * (info & 0xFFFF)
        if offset != end:
            raise BadBtf("the last type ends outside the types", offset)
