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

from schedops.adapters.sim.module_layout import Layout, MapPlace, Variable
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
    lines: list[tuple[int, str, int]] = []
    for unit in dwarf.iter_CUs():
        for die in unit.get_top_DIE().iter_children():
            if die.tag != "DW_TAG_variable" or (address := _address(die)) is None:
                continue
            name, kind = _name(die), _type(die)
            if _bare(kind) is not None and _name(_bare(kind)) == "sched_ext_ops":
                ops.append(Variable(address, _size(kind)))
            elif (found := _map(name, address, kind)) is not None:
                maps.append(found)
            elif name and _is_constant(kind):
                constants[name] = Variable(address, _size(kind))
        lines += _lines(dwarf, unit)
    return Layout(tuple(ops), tuple(maps), constants, tuple(sorted(set(lines))), file.code)


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


def _name(die: DIE | None) -> str:
    value = die.attributes.get("DW_AT_name") if die is not None else None
    return value.value.decode("utf-8", "replace") if value else ""


def _type(die: DIE) -> DIE | None:
    return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None


def _bare(die: DIE | None) -> DIE | None:
    """Without names and qualifiers."""
    while die is not None and die.tag in ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type"):
        die = _type(die)
    return die


def _is_constant(die: DIE | None) -> bool:
    seen = set()
    while die is not None and die.tag in ("DW_TAG_const_type", "DW_TAG_volatile_type"):
        seen.add(die.tag)
        die = _type(die)
    return len(seen) == 2


def _size(die: DIE | None) -> int:
    bare = _bare(die)
    if bare is None:
        return 0
    if bare.tag == "DW_TAG_pointer_type":
        return 8
    if bare.tag == "DW_TAG_array_type":
        return _count(bare) * _size(_type(bare))
    size = bare.attributes.get("DW_AT_byte_size")
    return int(size.value) if size else 0


def _count(array: DIE) -> int:
    total = 1
    for child in array.iter_children():
        if child.tag == "DW_TAG_subrange_type":
            count = child.attributes.get("DW_AT_count")
            upper = child.attributes.get("DW_AT_upper_bound")
            total *= int(count.value) if count else int(upper.value) + 1 if upper else 0
    return total


def _map(name: str, address: int, kind: DIE | None) -> MapPlace | None:
    """A map's definition: a struct whose member ``type`` points to an array of as many ints as the type's number."""
    bare = _bare(kind)
    if bare is None or bare.tag != "DW_TAG_structure_type":
        return None
    members = {_name(child): _pointed(child) for child in bare.iter_children() if child.tag == "DW_TAG_member"}
    number = members.get("type")
    if number is None or number.tag != "DW_TAG_array_type":
        return None

    def count(member: str) -> int:
        array = _bare(members.get(member))
        return _count(array) if array is not None and array.tag == "DW_TAG_array_type" else 0

    return MapPlace(
        name,
        address,
        _count(number),
        count("key_size") or _size(members.get("key")),
        count("value_size") or _size(members.get("value")),
        count("max_entries"),
        _offset(bare, "values"),
    )


def _offset(struct: DIE, member: str) -> int:
    found = next((child for child in struct.iter_children() if _name(child) == member), None)
    place = found.attributes.get("DW_AT_data_member_location") if found is not None else None
    return int(place.value) if place else 0


def _pointed(member: DIE) -> DIE | None:
    pointer = _bare(_type(member))
    return _type(pointer) if pointer is not None and pointer.tag == "DW_TAG_pointer_type" else None


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
