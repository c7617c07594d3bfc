"""Reads a compiled policy. The bytes may be anything: what comes out is facts or one clear refusal."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from schedops import btf
from schedops.btf import BadBtf, Btf
from schedops.verify.object import tables
from schedops.verify.object.code import read_functions
from schedops.verify.object.extra import Extra, read_extra
from schedops.verify.object.facts import ObjectFacts, Relocation
from schedops.verify.object.layout import BadObject, Layout, printable, read_layout

__all__ = ["BadObject", "ObjectFacts", "inspect"]

_MAX_TYPES = 1 << 17  # as many as a kernel has; more is no policy


def inspect(elf: bytes) -> ObjectFacts:
    """Facts of an object.

    :raises BadObject: it is no BPF object, is damaged, or is larger than what is looked at. Nothing else is raised.
    """
    try:
        layout = read_layout(elf)
        types = types_of(layout)
        extra = read_extra(types, section_data(layout, ".BTF.ext"))
        return _facts(layout, types, extra)
    except BadBtf as bad:
        raise BadObject(f"its type information is damaged: {printable(str(bad))}") from None


def types_of(layout: Layout) -> Btf:
    """:raises BadObject: it has none. :raises BadBtf: it is damaged."""
    data = section_data(layout, ".BTF")
    if not data:
        raise BadObject("it has no type information (.BTF): compile it with `-g`")
    types = Btf(data)
    if len(types) > _MAX_TYPES:
        raise BadObject(f"more than {_MAX_TYPES} types")
    return types


def section_data(layout: Layout, name: str) -> bytes:
    """Empty when there is no such section."""
    section = layout.find(name)
    return section.data if section is not None else b""


def _facts(layout: Layout, types: Btf, extra: Extra) -> ObjectFacts:
    functions = read_functions(layout, extra)
    facts = ObjectFacts(
        struct_ops_maps=tuple(tables.ops_tables(layout, types)),
        licence=tables.licence(layout),
        functions=functions,
        kernel_functions=tables.kernel_functions(layout, types),
        maps=tuple(tables.maps(layout, types)),
        relocations=tuple(_relocations(layout, extra)),
        enums=_enums(types),
        loader_sets=tables.loader_variables(layout),
    )
    if (ops := facts.ops) is None:
        return facts
    return replace(
        facts,
        ops_name=printable(ops.name or ""),
        ops_flags=ops.numbers.get("flags", 0),
        timeout_ms=ops.numbers.get("timeout_ms", 0),
        dispatch_max_batch=ops.numbers.get("dispatch_max_batch", 0),
        callbacks=ops.callbacks,
    )


def _relocations(layout: Layout, extra: Extra) -> list[Relocation]:
    starts: dict[str, list[tuple[int, str]]] = {}
    for symbol in layout.symbols:
        if symbol.kind == 2 and 0 < symbol.section < len(layout.sections):
            starts.setdefault(layout.sections[symbol.section].name, []).append((symbol.value, symbol.name))
    found = []
    for section, asked in extra.relocations.items():
        begins = sorted(starts.get(section, []))
        for at, (kind, path) in asked.items():
            before = bisect_right(begins, at, key=lambda entry: entry[0]) - 1
            begin, name = begins[before] if before >= 0 else (0, "")
            found.append(Relocation(kind=kind, path=path, function=name, place=extra.place(section, at, begin)))
    return found


def _enums(types: Btf) -> dict[str, int]:
    found: dict[str, int] = {}
    for type_id in types.ids(btf.ENUM, btf.ENUM64):
        for name, value in types.enumerators(type_id):
            if name.startswith("SCX_"):
                found.setdefault(printable(name), value)
    return found
