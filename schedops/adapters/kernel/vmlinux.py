"""What a vmlinux says about itself: release, BTF, built-in configuration. The file may be anything."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from schedops.adapters.kernel.bzimage import bad

_MAX_SECTIONS = 4096
_MAX_CONFIG_BYTES = 4 << 20
# linux_banner of init/version.c: "Linux version RELEASE (BUILDER) ..."; a release is at most 64 bytes (utsname).
_BANNER = re.compile(rb"Linux version (\d+\.\d+[A-Za-z0-9._+~-]{0,56}) \(")


@dataclass(frozen=True, slots=True)
class Section:
    """Where a section lies in the file."""

    name: str
    offset: int
    size: int


def sections_of(elf: bytes, *, where: str) -> tuple[Section, ...]:
    """The sections of a little-endian 64-bit ELF file for x86-64.

    :raises InputError: ``bad-kernel-image`` with the offset where it stopped making sense.
    """
    if len(elf) < 64 or not elf.startswith(b"\x7fELF"):
        raise bad("no ELF file", where)
    if elf[4:6] != b"\x02\x01" or struct.unpack_from("<H", elf, 0x12)[0] != 62:
        raise bad("an ELF file, but not for x86-64 (offsets 0x4 and 0x12)", where)
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry_size, count, names_at = struct.unpack_from("<HHH", elf, 0x3A)
    if entry_size != 64 or not 0 < count <= _MAX_SECTIONS or names_at >= count or table + 64 * count > len(elf):
        raise bad(f"section table of {count} entries at offset {table:#x} (told at 0x28) is not in the file", where)
    rows = [struct.unpack_from("<IIQQQQ", elf, table + 64 * at) for at in range(count)]
    names = elf[rows[names_at][4] : rows[names_at][4] + min(rows[names_at][5], 1 << 20)]
    return tuple(_section(row, names, len(elf), where) for row in rows if row[1] not in (0, 8))  # not NULL, not NOBITS


def content_of(elf: bytes, sections: tuple[Section, ...], name: str) -> bytes | None:
    """The bytes of the first section called *name*."""
    for section in sections:
        if section.name == name:
            return elf[section.offset : section.offset + section.size]
    return None


def release_of(elf: bytes, sections: tuple[Section, ...], *, where: str) -> str:
    """What ``uname -r`` will say, from the kernel's own banner.

    :raises InputError: there is no banner, so this is no kernel.
    """
    rodata = content_of(elf, sections, ".rodata")
    match = _BANNER.search(rodata if rodata is not None else elf)
    if match is None:
        raise bad("no 'Linux version' banner in .rodata: an ELF file, but no kernel", where)
    return match[1].decode("ascii")


def config_of(elf: bytes) -> str | None:
    """The configuration built in with CONFIG_IKCONFIG, or None."""
    start = elf.find(b"IKCFG_ST\x1f\x8b")
    if start < 0:
        return None
    try:
        data = zlib.decompressobj(wbits=31).decompress(elf[start + 8 : start + 8 + (1 << 20)], _MAX_CONFIG_BYTES)
    except zlib.error:
        return None
    return data.decode("utf-8", errors="replace")


def _section(row: tuple[int, ...], names: bytes, file_bytes: int, where: str) -> Section:
    name_at, _, _, _, offset, size = row
    end = names.find(b"\0", name_at)
    name = names[name_at : end if end >= 0 else None][:64].decode("latin-1")
    if offset + size > file_bytes:
        raise bad(f"section of {size} bytes at offset {offset:#x} ends outside the file", where)
    return Section(name, offset, size)
