"""What is known of a linked policy: where its callbacks, maps and parameters are, and whose line an instruction is."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from itertools import takewhile

_RUNTIME = ("rt_", "runtime.c")
MAX_FIELDS = 64  # shim/rt_fields.c
Fields = tuple[tuple[int, int], ...]  # members that the kernel keeps: offset and kind (special_fields.py)


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A BPF map: its variable's address and its definition; sizes in bytes.

    :param inner: of a map of maps: where in the variable the inner ones are listed; else 0.
    :param fields: of a value.
    """

    name: str
    address: int
    type: int
    key_size: int
    value_size: int
    max_entries: int
    inner: int = 0
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """A type of which the policy makes objects: the address that stands for it, and its size in bytes."""

    name: str
    address: int
    size: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Variable:
    """A constant that the loader may set (``const volatile``), or the ``sched_ext_ops``."""

    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything the host needs to know of a policy's module.

    :param lines: (offset in the code, file, line), by offset; no file: there a function has ended.
    :param code: where the code begins in the module.
    """

    ops: tuple[Variable, ...]
    maps: tuple[MapPlace, ...]
    constants: dict[str, Variable]
    lines: tuple[tuple[int, str, int], ...]
    code: int
    objects: tuple[ObjectPlace, ...]

    def place(self, offset: int, start: int, *, loop: bool = False) -> str:
        """``file:line`` of the policy's own source for an instruction; empty when nothing is known.

        What the compiler added belongs to the line before it, at the head of a *loop* to the line behind it.

        :param offset: in the module. :param start: of the function, in the module.
        """
        first = bisect.bisect_left(self.lines, (start - self.code, "", 0))
        last = bisect.bisect_right(self.lines, (offset - self.code, "\uffff", 0))
        if not last or not self.lines[last - 1][1]:  # a function of the runtime: it has no lines
            return ""
        before = [f"{file}:{line}" for _, file, line in self.lines[first:last] if _is_own(file, line)]
        if before and not (loop and not _is_own(*self.lines[last - 1][1:])):
            return before[-1]
        rest = takewhile(lambda row: row[1], self.lines[last : last + 50])
        behind = (f"{file}:{line}" for _, file, line in rest if _is_own(file, line))
        return next(behind, "")


def _is_own(file: str, line: int) -> bool:
    return line > 0 and not file.startswith(_RUNTIME)
