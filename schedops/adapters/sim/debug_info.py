"""Where a linked policy keeps its callbacks, maps and parameters, and which line an instruction belongs to.

What the kernel learns from an object's BTF is here read from the DWARF that clang writes into the module.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.descriptions import set_global_machine_arch
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from schedops.adapters.sim.dwarf_types import bare_type, count_of, name_of, offset_of, pointed, size_of, type_of
from schedops.adapters.sim.module_layout import Layout, MapPlace, ObjectPlace, Variable
from schedops.adapters.sim.special_fields import fields_of
from schedops.adapters.sim.wasm_file import WasmFile, parse_wasm, uleb

_SECTIONS = (
    "info",
    "abbrev",
    "str",
    "line",
    "line_str",
    "str_offsets",
    "addr",
    "rnglists",
    "loclists",
    "ranges",
    "loc",
)
_ADDR, _ADDRX = 0x03, 0xA1  # DW_OP_addr, DW_OP_addrx
_TYPE = "schedops_type"  # shim/bpf/bpf_core_read.h: a variable of a function, whose member `of` points to the type

# What a reader of DWARF meets in what a hostile source made of it.
_BROKEN = (ELFError, DWARFError, ConstructError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


def layout_of(wasm: bytes) -> Layout:
    """:raises ValueError: the module has no debug information that can be read."""
    try:
        return _layout(parse_wasm(wasm))
    except _BROKEN as error:
        raise ValueError(f"its debug information cannot be read: {type(error).__name__}") from None


def _layout(file: WasmFile) -> Layout:
    if ".debug_info" not in file.custom:
        raise ValueError("the module has no debug information")
    dwarf = _dwarf(file)
    ops: list[Variable] = []
    maps: list[MapPlace] = []
    constants: dict[str, Variable] = {}
    objects: list[ObjectPlace] = []
    lines: list[tuple[int, str, int]] = []
    for unit in dwarf.iter_CUs():
        for die in unit.get_top_DIE().iter_children():
            if die.tag != "DW_TAG_variable" or (address := _address(die)) is None:
                continue
            name, kind = name_of(die), type_of(die)
            if bare_type(kind) is not None and name_of(bare_type(kind)) == "sched_ext_ops":
                ops.append(Variable(address, size_of(kind)))
            elif (found := _map(name, address, kind)) is not None:
                maps.append(found)
            elif name and _is_constant(kind):
                constants[name] = Variable(address, size_of(kind))
        if _TYPE.encode() in file.custom.get(".debug_str", b""):
            objects += _objects(unit.get_top_DIE())
        lines += _lines(dwarf, unit)
    return Layout(tuple(ops), tuple(maps), constants, tuple(sorted(set(lines))), file.code, tuple(objects))


def _dwarf(file: WasmFile) -> DWARFInfo:
    set_global_machine_arch("x64")
    found = {}
    for name in _SECTIONS:
        data = file.custom.get(f".debug_{name}")
        found[name] = (
            None if data is None else DebugSectionDescriptor(io.BytesIO(data), f".debug_{name}", 0, len(data), 0)
        )
    config = DwarfConfig(little_endian=True, machine_arch="x64", default_address_size=8)
    return DWARFInfo(
        config=config,
        debug_info_sec=found["info"],
        debug_aranges_sec=None,
        debug_abbrev_sec=found["abbrev"],
        debug_frame_sec=None,
        eh_frame_sec=None,
        debug_str_sec=found["str"],
        debug_loc_sec=found["loc"],
        debug_ranges_sec=found["ranges"],
        debug_line_sec=found["line"],
        debug_pubtypes_sec=None,
        debug_pubnames_sec=None,
        debug_addr_sec=found["addr"],
        debug_str_offsets_sec=found["str_offsets"],
        debug_line_str_sec=found["line_str"],
        debug_loclists_sec=found["loclists"],
        debug_rnglists_sec=found["rnglists"],
        debug_sup_sec=None,
        gnu_debugaltlink_sec=None,
        debug_types_sec=None,
    )


def _address(die: DIE) -> int | None:
    location = die.attributes.get("DW_AT_location")
    if location is None or not isinstance(location.value, list) or not location.value:
        return None
    operation, data = location.value[0], bytes(location.value[1:])
    if operation == _ADDR:
        return int.from_bytes(data[:8], "little")
    if operation == _ADDRX:
        return int(die.cu.dwarfinfo.get_addr(die.cu, uleb(data, 0)[0]))
    return None


def _is_constant(die: DIE | None) -> bool:
    seen = set()
    while die is not None and die.tag in ("DW_TAG_const_type", "DW_TAG_volatile_type"):
        seen.add(die.tag)
        die = type_of(die)
    return len(seen) == 2


def _map(name: str, address: int, kind: DIE | None) -> MapPlace | None:
    """A map's definition: a struct whose member ``type`` points to an array of as many ints as the type's number."""
    bare = bare_type(kind)
    if bare is None or bare.tag != "DW_TAG_structure_type":
        return None
    found = {name_of(child): child for child in bare.iter_children() if child.tag == "DW_TAG_member"}
    members = {member: pointed(child) for member, child in found.items()}
    number = members.get("type")
    if number is None or number.tag != "DW_TAG_array_type":
        return None

    def count(member: str) -> int:
        array = bare_type(members.get(member))
        return count_of(array) if array is not None and array.tag == "DW_TAG_array_type" else 0

    return MapPlace(
        name,
        address,
        count_of(number),
        count("key_size") or size_of(members.get("key")),
        count("value_size") or size_of(members.get("value")),
        count("max_entries"),
        offset_of(found.get("values")),
        fields_of(members.get("value")),
    )


def _objects(scope: DIE) -> Iterator[ObjectPlace]:
    """Types of which the policy makes objects."""
    for die in scope.iter_children():
        if die.tag in ("DW_TAG_subprogram", "DW_TAG_lexical_block"):
            yield from _objects(die)
        elif die.tag == "DW_TAG_variable" and name_of(die) == _TYPE and (address := _address(die)) is not None:
            holder = type_of(die)
            kind = next((pointed(member) for member in holder.iter_children()), None) if holder else None
            yield ObjectPlace(name_of(bare_type(kind)), address, size_of(kind), fields_of(kind))


def _lines(dwarf: DWARFInfo, unit: CompileUnit) -> Iterator[tuple[int, str, int]]:
    program = dwarf.line_program_for_CU(unit)
    if program is None:
        return
    names = [entry.name.decode("utf-8", "replace") for entry in program["file_entry"]]
    first = 0 if program["version"] >= 5 else 1
    for entry in program.get_entries():
        if entry.state is not None:
            number = entry.state.file - first
            file = names[number] if 0 <= number < len(names) else "?"
            ends = entry.state.end_sequence
            yield entry.state.address, "" if ends else file, 0 if ends else entry.state.line
