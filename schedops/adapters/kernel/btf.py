"""Just enough of a kernel's BTF to see which functions it offers to policies, and with which parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schedops import btf
from schedops.errors import InputError


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
        self._where = where
        with reading(where):
            self._types = btf.Btf(data)

    def functions(self, prefix: str) -> tuple[Function, ...]:
        """All functions whose names begin with *prefix*, in order of name."""
        wanted, types = prefix.encode(), self._types
        with reading(self._where):
            marked = marked_kfuncs(types)
            ids = [type_id for type_id in types.ids(btf.FUNC) if types.named(type_id, wanted)]
            found = [Function(types.name(at), self._params(types.target(at)), at in marked) for at in ids]
        return tuple(sorted(found, key=lambda function: function.name))

    def has_struct(self, name: str) -> bool:
        """There is a struct of that name."""
        return struct_called(self._types, name) != 0

    def _params(self, proto: int) -> tuple[Param, ...]:
        return tuple(Param(name, self._pointee(type_id)) for name, type_id in self._types.params(proto))

    def _pointee(self, type_id: int) -> str:
        types = self._types
        if types.kind(type_id) != btf.PTR:
            return ""
        for _ in range(4):  # through const and volatile; a chain without end is no pointer to a struct
            type_id = types.target(type_id)
            if types.kind(type_id) not in (btf.VOLATILE, btf.CONST):
                break
        return types.name(type_id) if types.kind(type_id) in (btf.STRUCT, btf.FWD) else ""


@contextmanager
def reading(where: str) -> Iterator[None]:
    """BTF that makes no sense is the fault of the file."""
    try:
        yield
    except btf.BadBtf as bad:
        raise InputError("bad-btf", str(bad), where=where) from None


def struct_called(types: btf.Btf, name: str) -> int:
    """The first struct of that name; 0 when there is none."""
    wanted = name.encode() + b"\0"
    return next((type_id for type_id in types.ids(btf.STRUCT) if types.named(type_id, wanted)), 0)


def marked_kfuncs(types: btf.Btf) -> frozenset[int]:
    """The functions that the kernel's build marked as callable from BPF programs."""
    tags = (type_id for type_id in types.ids(btf.DECL_TAG) if types.named(type_id, b"bpf_kfunc\0"))
    return frozenset(types.target(type_id) for type_id in tags)
