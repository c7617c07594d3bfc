"""The digest of what an object does, whatever its source was called and wherever its lines were.

Line information, debug sections and the order of strings are left out; everything that a loader or the kernel acts on
is in: instructions, relocations, data, maps, tables, licence, types, and what the loader asks the kernel's BTF.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from schedops import btf
from schedops.btf import BadBtf, Btf
from schedops.verify.object import layout as elf
from schedops.verify.object.elf import section_data, types_of
from schedops.verify.object.extra import read_extra
from schedops.verify.object.layout import BadObject, Layout, Section, Symbol, printable, read_layout

_TABLES = (".BTF", ".BTF.ext", ".symtab", ".strtab", ".shstrtab", ".llvm_addrsig", ".comment", ".note.GNU-stack")
_MAX_DIGESTED_TYPES = 1 << 16


def behaviour_digest(elf_file: bytes) -> str:
    """64 hex digits: equal for builds of sources that differ in comments, blank lines or names of files.

    :raises BadObject: it is no BPF object, or damaged.
    """
    layout = read_layout(elf_file)
    digest = hashlib.sha256(b"schedops-behaviour-1\n")
    try:
        types = types_of(layout)
        for part in (_sections(layout), _symbols(layout), _relocations(layout), _types(types), _asked(layout, types)):
            for piece in part:
                digest.update(struct.pack("<Q", len(piece)) + piece)
            digest.update(b"\xff" * 8)
    except BadBtf as bad:
        raise BadObject(f"its type information is damaged: {printable(str(bad))}") from None
    return digest.hexdigest()


def _counts(section: Section) -> bool:
    if section.flags & (elf.ALLOC | elf.EXEC):
        return True
    return bool(section.name) and section.kind not in (4, 9) and not _is_note(section.name)


def _is_note(name: str) -> bool:
    return name in _TABLES or name.startswith(".debug_")


def _sections(layout: Layout) -> Iterator[bytes]:
    for section in layout.sections:
        if _counts(section):
            yield section.name.encode()
            yield struct.pack("<IQQ", section.kind, section.flags, section.size)
            yield section.data


def _symbols(layout: Layout) -> Iterator[bytes]:
    # Labels inside of functions (NOTYPE, local) and names of files are nobody's business.
    known = [one for one in layout.symbols if one.kind in (elf.OBJECT, elf.FUNC) or one.bind != elf.LOCAL]
    yield from sorted(_symbol(layout, one) for one in known)


def _symbol(layout: Layout, one: Symbol) -> bytes:
    section = layout.sections[one.section].name if 0 < one.section < len(layout.sections) else str(one.section)
    local = one.kind in (elf.NOTYPE, elf.SECTION) and one.bind == elf.LOCAL
    name = "" if local else one.name
    return repr((name, section, one.value, one.size, one.bind, one.kind)).encode()


def _relocations(layout: Layout) -> Iterator[bytes]:
    for at, places in sorted(layout.relocations.items()):
        section = layout.sections[at]
        if _counts(section):
            yield section.name.encode()
            for offset, symbol in sorted(places.items()):
                yield struct.pack("<Q", offset) + _symbol(layout, symbol)


def _types(types: Btf) -> Iterator[bytes]:
    if len(types) > _MAX_DIGESTED_TYPES:
        raise BadObject(f"more than {_MAX_DIGESTED_TYPES} types")
    for type_id in range(1, len(types)):
        kind = types.kind(type_id)
        row: list[object] = [kind, types.name(type_id), types.flag(type_id), types.target(type_id)]
        if kind in (btf.STRUCT, btf.UNION, btf.DATASEC):
            row += [(one.name, one.type_id, one.offset, one.size) for one in types.members(type_id)]
        elif kind == btf.FUNC_PROTO:
            row += types.params(type_id)
        elif kind in (btf.ENUM, btf.ENUM64):
            row += types.enumerators(type_id)
        elif kind == btf.ARRAY:
            row += types.array(type_id)
        elif kind == btf.DECL_TAG:
            row.append(types.component(type_id))
        yield repr(row).encode()


def _asked(layout: Layout, types: Btf) -> Iterator[bytes]:
    extra = read_extra(types, section_data(layout, ".BTF.ext"))
    for section, asked in sorted(extra.relocations.items()):
        for at, question in sorted(asked.items()):
            yield repr((section, at, question)).encode()
