"""Parameters into a compiled policy: finds each one by the object's symbol table and writes its value into ``.rodata``.

The loader passes ``.rodata`` to the kernel as it stands, so the digest of the object pins the parameters too.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schedops.model.policy import Param, ParamValue

# type in policy.yaml -> struct format; BPF objects are little endian here
_FORMATS: Mapping[str, str] = {
    "u8": "<B",
    "u16": "<H",
    "u32": "<I",
    "u64": "<Q",
    "s32": "<i",
    "s64": "<q",
    "bool": "<B",
}


class ParamRefused(Exception):
    """A parameter cannot be set as asked. ``name`` is the parameter's."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text


@dataclass(frozen=True, slots=True)
class _Place:
    offset: int  # in the file
    size: int


def set_params(elf: bytes, declared: Sequence[Param], values: Sequence[ParamValue]) -> bytes:
    """The object with *values* written in; what is not named keeps its default.

    Every declared parameter is checked, named or not: it must exist in ``.rodata``, have its type's size, and hold the
    default that ``policy.yaml`` states, so that a reader of either file reads the truth.

    :raises ParamRefused: unknown name, value out of range, or the object is not what ``policy.yaml`` says.
    """
    chosen = _chosen(declared, values)
    data = bytearray(elf)
    places = _places(elf)
    for param in declared:
        place = _place(param, places)
        _check_default(param, elf, place)
        struct.pack_into(_FORMATS[param.type], data, place.offset, chosen[param.name])
    return bytes(data)


def _chosen(declared: Sequence[Param], values: Sequence[ParamValue]) -> dict[str, int]:
    chosen = {param.name: param.default for param in declared}
    by_name = {param.name: param for param in declared}
    for value in values:
        param = by_name.get(value.name)
        if param is None:
            known = ", ".join(sorted(by_name)) or "none"
            raise ParamRefused(value.name, f"there is no parameter {value.name}; the policy has: {known}")
        chosen[value.name] = value.value
    for param in declared:
        if not param.min <= chosen[param.name] <= param.max:
            text = f"{param.name} = {chosen[param.name]} is not in {param.min} .. {param.max} {param.unit}"
            raise ParamRefused(param.name, text)
    return chosen


def _place(param: Param, places: Mapping[str, _Place]) -> _Place:
    place = places.get(param.name)
    if place is None:
        raise ParamRefused(param.name, f"the source has no `const volatile {param.type} {param.name}`")
    if param.type not in _FORMATS:
        raise ParamRefused(param.name, f"{param.name}: a parameter cannot have the type {param.type}")
    size = struct.calcsize(_FORMATS[param.type])
    if place.size != size:
        text = f"{param.name} is {place.size} bytes in the source, but {param.type} ({size}) in policy.yaml"
        raise ParamRefused(param.name, text)
    return place


def _check_default(param: Param, elf: bytes, place: _Place) -> None:
    (value,) = struct.unpack_from(_FORMATS[param.type], elf, place.offset)
    if value != param.default:
        text = f"{param.name} is {value} in the source, but its default is {param.default} in policy.yaml"
        raise ParamRefused(param.name, text)


def _places(elf: bytes) -> dict[str, _Place]:
    """Global variables in ``.rodata``, by name."""
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - slow to import, and only for what was just compiled
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    from elftools.elf.sections import SymbolTableSection  # noqa: PLC0415

    try:
        file = ELFFile(io.BytesIO(elf))
        rodata = file.get_section_index(".rodata")
        symbols = file.get_section_by_name(".symtab")
        if rodata is None or not isinstance(symbols, SymbolTableSection):
            return {}
        base = file.get_section(rodata)["sh_offset"]
        limit = base + file.get_section(rodata)["sh_size"]
        found = (symbol for symbol in symbols.iter_symbols() if symbol["st_shndx"] == rodata)
        places = {symbol.name: _Place(base + symbol["st_value"], symbol["st_size"]) for symbol in found}
    except ELFError:
        return {}
    return {name: place for name, place in places.items() if place.offset + place.size <= min(limit, len(elf))}
