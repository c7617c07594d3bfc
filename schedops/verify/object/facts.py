"""What is known of an object, as values that rules can be written against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schedops.model.verification import Place


@dataclass(frozen=True, slots=True)
class Instruction:
    """One of eight bytes; the second half of a 64-bit load is one of its own, as in the file."""

    op: int
    dst: int
    src: int
    off: int
    imm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, and what is sure of its arguments.

    :param kind: helper | kfunc | function (of this object).
    :param name: of a helper without ``bpf_``, ``#999`` when nobody knows it; of a kfunc as the object spells it.
    :param args: the first five; None where the value is not a constant.
    :param bits: the first five; bits that are surely set in the value.
    """

    at: int  # index of the instruction in its function
    kind: str
    name: str
    args: tuple[int | None, ...]
    bits: tuple[int, ...]
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A program or a function that programs call.

    :param callees: functions of this object that it calls or hands to a helper that calls them.
    :param timers: functions that it hands to a timer or work queue: they run later, in no callback of the policy.
    :param externs: index of an instruction -> kernel symbol that it loads the address of (0 when the kernel has none).
    :param exists: index of an instruction -> CO-RE question (`kind`, path) whose answer it loads.
    """

    name: str
    section: str
    code: tuple[Instruction, ...]
    calls: tuple[Call, ...]
    callees: tuple[str, ...]
    timers: tuple[str, ...]
    externs: Mapping[int, str]
    exists: Mapping[int, str]
    relocated: frozenset[int]  # instructions whose constants the loader writes
    place: Place | None

    @property
    def is_program(self) -> bool:
        """It is loaded by itself, not only as a part of others."""
        return self.section != ".text"

    @property
    def sleepable(self) -> bool:
        """Loaded as a program that may sleep."""
        return self.section.lstrip("?").startswith("struct_ops.s")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFunction:
    """A kfunc that the object declares. *weak*: the object loads where the kernel lacks it."""

    name: str
    weak: bool
    params: tuple[str, ...]
    returns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MapShape:
    """A map that the object defines. *kind*: number of ``enum bpf_map_type``."""

    name: str
    kind: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """A CO-RE relocation: the loader asks the kernel's BTF. *kind*: number of ``enum bpf_core_relo_kind``."""

    kind: int
    path: str  # task_struct.scx.weight, or the name of a type
    function: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsTable:
    """A struct_ops map.

    :param type_name: such as ``sched_ext_ops``.
    :param callbacks: (member, program).
    :param numbers: member -> value, of all members that are integers.
    :param members: those that are not zero, in the order of the struct.
    :param name: None when it has no end.
    """

    variable: str
    type_name: str
    linked: bool  # in .struct_ops.link
    callbacks: tuple[tuple[str, str], ...]
    numbers: Mapping[str, int]
    members: tuple[str, ...]
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """Everything that rules ask about an object. The first six are of its only table of ``sched_ext_ops``, if any."""

    ops_name: str = ""
    ops_flags: int = 0
    timeout_ms: int = 0
    dispatch_max_batch: int = 0
    callbacks: tuple[tuple[str, str], ...] = ()
    struct_ops_maps: tuple[OpsTable, ...] = ()
    licence: str | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)
    kernel_functions: tuple[KernelFunction, ...] = ()
    maps: tuple[MapShape, ...] = ()
    relocations: tuple[Relocation, ...] = ()
    enums: Mapping[str, int] = field(default_factory=dict)  # SCX_ enumerators in the object's own BTF
    loader_sets: tuple[str, ...] = ()  # __SCX_ variables that a loader has to fill in

    @property
    def ops(self) -> OpsTable | None:
        """The only table of ``sched_ext_ops``."""
        tables = [table for table in self.struct_ops_maps if table.type_name.split("___")[0] == "sched_ext_ops"]
        return tables[0] if len(tables) == 1 else None
