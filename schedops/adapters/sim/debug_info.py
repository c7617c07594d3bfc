"""Where a linked policy keeps its callbacks, maps and parameters, and which line an instruction belongs to.

What the kernel learns from an object's BTF is here read from the DWARF that clang writes into the module.
"""

from __future__ import annotations

import bisect
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.descriptions import set_global_machine_arch
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from schedops.adapters.sim.wasm_file import WasmFile, uleb

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
_RUNTIME = ("rt_", "runtime.c")
_ADDR, _ADDRX = 0x03, 0xA1  # DW_OP_addr, DW_OP_addrx


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A BPF map: its variable's address and its definition; sizes in bytes.

    :param inner: of a map of maps: where in the variable the inner ones are listed; else 0.
    """

    name: str
    address: int
    type: int
    key_size: int
    value_size: int
    max_entries: int
    inner: int = 0


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


def layout_of(file: WasmFile) -> Layout:
    """:raises ValueError: the module has no debug information."""
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
