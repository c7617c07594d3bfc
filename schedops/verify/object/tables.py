"""Data of an object: tables of callbacks, maps, licence, variables that a loader fills in."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from schedops import btf
from schedops.btf import Btf, Member
from schedops.verify.object import layout as elf
from schedops.verify.object.facts import KernelFunction, MapShape, OpsTable
from schedops.verify.object.layout import BadObject, Layout, Section, printable

_OPS_SECTIONS = (".struct_ops", ".struct_ops.link")
_MAX_TABLES, _MAX_CALLBACKS = 4, 128
_MAX_KFUNCS = 1024
_MAX_MAPS, _MAX_ATTRIBUTES = 1024, 32
_MAX_NAME = 128  # sched_ext_ops.name
_KINDS_OF_NUMBERS = (btf.INT, btf.ENUM, btf.ENUM64)
_GLOBALS = (".data", ".bss", ".rodata")
_ARRAY_MAP = 2


def ops_tables(layout: Layout, types: Btf) -> Iterator[OpsTable]:
    """The struct_ops maps. :raises BadObject: one is not whole."""
    programs = {(s.section, s.value): s.name for s in layout.symbols if s.kind == elf.FUNC}
    for at, variable, section in ops_variables(layout, types):
        struct_id = types.stripped(types.target(variable.type_id))
        if types.kind(struct_id) != btf.STRUCT or variable.offset + types.size(struct_id) > len(section.data):
            raise BadObject(f"the table {printable(variable.name)!r} of {section.name} is not whole")
        yield _table(layout, types, at, variable, programs)


def ops_variables(layout: Layout, types: Btf) -> Iterator[tuple[int, Member, Section]]:
    """(index of the section, variable, section) of every struct_ops map. :raises BadObject: they are too many."""
    left = _MAX_TABLES
    for type_id in types.ids(btf.DATASEC):
        name = types.name(type_id)
        at = layout.index(name) if name in _OPS_SECTIONS else 0
        if at:
            for variable in types.members(type_id):
                left -= 1
                if left < 0 or types.count(types.stripped(types.target(variable.type_id))) > _MAX_CALLBACKS:
                    raise BadObject(f"more than {_MAX_TABLES} tables, or one of more than {_MAX_CALLBACKS} members")
                yield at, variable, layout.sections[at]


def _table(layout: Layout, types: Btf, at: int, variable: Member, programs: Mapping[tuple[int, int], str]) -> OpsTable:
    data = layout.sections[at].data
    struct_id = types.stripped(types.target(variable.type_id))
    callbacks, numbers, given, name = [], {}, [], None
    for member in types.members(struct_id):
        begin = variable.offset + member.offset // 8
        kind, size = types.kind(types.stripped(member.type_id)), types.size(member.type_id)
        program = _program(layout, at, begin, programs) if kind == btf.PTR else ""
        if program:
            callbacks.append((printable(member.name), program))
        elif kind in _KINDS_OF_NUMBERS:
            numbers[printable(member.name)] = int.from_bytes(data[begin : begin + min(size, 8)], "little")
        elif member.name == "name" and kind == btf.ARRAY:
            name = _text(data[begin : begin + min(size, _MAX_NAME)])
        if program or any(data[begin : begin + size]):
            given.append(printable(member.name))
    return OpsTable(
        variable=printable(variable.name),
        type_name=printable(types.name(struct_id)),
        linked=layout.sections[at].name == ".struct_ops.link",
        callbacks=tuple(callbacks),
        numbers=numbers,
        members=tuple(given),
        name=name,
    )


def _program(layout: Layout, at: int, offset: int, programs: Mapping[tuple[int, int], str]) -> str:
    symbol = layout.relocations.get(at, {}).get(offset)
    if symbol is None:
        return ""
    if symbol.kind == elf.FUNC and symbol.name:
        return symbol.name
    (inside,) = struct.unpack_from("<Q", layout.sections[at].data.ljust(offset + 8, b"\0"), offset)
    return programs.get((symbol.section, symbol.value + inside), symbol.name or "?")


def _text(data: bytes) -> str | None:
    text, end, _ = data.partition(b"\0")
    return text.decode("latin-1") if end else None


def licence(layout: Layout) -> str | None:
    """What the object says its licence is; None when it says nothing."""
    section = layout.find("license")
    if section is None or not section.data:
        return None
    return printable(section.data.partition(b"\0")[0][:128].decode("latin-1"))


def loader_variables(layout: Layout) -> tuple[str, ...]:
    """``__SCX_`` variables that are 0: the loader has to fill in what the kernel's BTF says."""
    found = []
    for symbol in layout.symbols:
        if symbol.name.startswith("__SCX_") and symbol.kind == elf.OBJECT and 0 < symbol.section < len(layout.sections):
            data = layout.sections[symbol.section].data[symbol.value : symbol.value + min(symbol.size, 8)]
            if not any(data):
                found.append(symbol.name)
    return tuple(sorted(found))


def kernel_functions(layout: Layout, types: Btf) -> tuple[KernelFunction, ...]:
    """The kfuncs that the object declares, with their prototypes, in order of name."""
    weak = {symbol.name for symbol in layout.symbols if symbol.section == elf.UNDEFINED and symbol.bind == elf.WEAK}
    found = {}
    for type_id in types.ids(btf.DATASEC):
        if not types.named(type_id, b".ksyms\0"):
            continue
        if types.count(type_id) > _MAX_KFUNCS:
            raise BadObject(f"more than {_MAX_KFUNCS} symbols of the kernel")
        for entry in types.members(type_id):
            if types.kind(entry.type_id) == btf.FUNC:
                found[entry.name] = _declared(types, entry.type_id, printable(entry.name), entry.name in weak)
    return tuple(found[name] for name in sorted(found))


def _declared(types: Btf, function_id: int, name: str, weak: bool) -> KernelFunction:  # noqa: FBT001 - a field of it
    proto = types.target(function_id)
    params = tuple(printable(types.spelled(type_id)) for _, type_id in types.params(proto))
    return KernelFunction(name=name, weak=weak, params=params, returns=printable(types.spelled(types.target(proto))))


def maps(layout: Layout, types: Btf) -> Iterator[MapShape]:
    """Maps that are defined, and those that libbpf makes of global variables."""
    for type_id in types.ids(btf.DATASEC):
        if types.named(type_id, b".maps\0"):
            if types.count(type_id) > _MAX_MAPS:
                raise BadObject(f"more than {_MAX_MAPS} maps")
            for variable in types.members(type_id):
                yield _map(types, variable)
    for section in layout.sections:
        if section.size and any(section.name == name or section.name.startswith(f"{name}.") for name in _GLOBALS):
            yield MapShape(
                name=section.name, kind=_ARRAY_MAP, key_size=4, value_size=section.size, max_entries=1, flags=0
            )


def _map(types: Btf, variable: Member) -> MapShape:
    told = {}
    for member in types.members(types.stripped(types.target(variable.type_id)))[:_MAX_ATTRIBUTES]:
        pointed = types.target(member.type_id) if types.kind(member.type_id) == btf.PTR else 0
        if member.name in ("key", "value"):
            told[f"{member.name}_size"] = types.size(pointed)
        elif types.kind(pointed) == btf.ARRAY:
            told[member.name] = types.array(pointed)[1]
    return MapShape(
        name=printable(variable.name),
        kind=told.get("type", 0),
        key_size=told.get("key_size", 0),
        value_size=told.get("value_size", 0),
        max_entries=told.get("max_entries", 0),
        flags=told.get("map_flags", 0),
    )
