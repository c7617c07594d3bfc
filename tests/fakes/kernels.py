"""Small kernels made by hand: an ELF file with a banner and BTF, wrapped into a bzImage like the real one."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct

import zstandard

PACKED = {
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data) + struct.pack("<I", len(data)),
    "xz": lambda data: lzma.compress(data) + struct.pack("<I", len(data)),
    "gzip": gzip.compress,
    "bzip2": lambda data: bz2.compress(data) + struct.pack("<I", len(data)),
}
GOOD = {"scx_bpf_create_dsq": ("dsq_id", "node"), "scx_bpf_create_dsq_impl": ("dsq_id", "node", "aux")}
BROKEN = {"scx_bpf_create_dsq": ("dsq_id", "node", "aux"), "scx_bpf_dsq_insert": ("p", "aux")}


def btf(functions: dict[str, tuple[str, ...]], *, structs: tuple[str, ...] = ("sched_ext_ops",)) -> bytes:
    """Functions of int parameters; one called *aux* is a ``const struct bpf_prog_aux *``."""
    strings = bytearray(b"\0")
    types: list[bytes] = []

    def name(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text) - 1

    def add(name_at: int, kind: int, vlen: int, size_or_type: int, more: bytes = b"") -> int:
        types.append(struct.pack("<III", name_at, kind << 24 | vlen, size_or_type) + more)
        return len(types)

    integer = add(name("int"), 1, 0, 4, struct.pack("<I", 32))
    aux_struct = add(name("bpf_prog_aux"), 4, 1, 8, struct.pack("<III", name("cnt"), integer, 0))
    pointer = add(0, 2, 0, add(0, 10, 0, aux_struct))
    for struct_name in structs:
        add(name(struct_name), 4, 0, 0)
    for function, params in functions.items():
        rows = [struct.pack("<II", name(param), pointer if param == "aux" else integer) for param in params]
        proto = add(0, 13, len(params), integer, b"".join(rows))
        function_id = add(name(function), 12, 1, proto)
        if not function.endswith("_impl"):
            add(name("bpf_kfunc"), 17, 0, function_id, struct.pack("<i", -1))
    body = b"".join(types)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(strings)) + body + bytes(strings)


def vmlinux(release: str = "7.3.4-test", types: bytes | None = None, *, config: str | None = None) -> bytes:
    """An ELF file for x86-64 with ``.rodata`` (banner, built-in configuration) and, unless None, ``.BTF``."""
    rodata = b"\0" * 7 + f"Linux version {release} (me@example.org) #1 SMP\n\0".encode()
    if config is not None:
        rodata += b"IKCFG_ST" + gzip.compress(config.encode()) + b"IKCFG_ED"
    contents = {".rodata": rodata, **({} if types is None else {".BTF": types})}
    names = b"\0" + b"".join(name.encode() + b"\0" for name in contents) + b".shstrtab\0"
    offset = 64
    rows = [bytes(64)]
    body = b""
    for name, content in {**contents, ".shstrtab": names}.items():
        rows.append(struct.pack("<IIQQQQIIQQ", names.index(name.encode()), 1, 0, 0, offset, len(content), 0, 0, 1, 0))
        body += content
        offset += len(content)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, offset, 0, 64, 0, 0, 64, len(rows), len(rows) - 1)
    return ident + head + body + b"".join(rows)


def bzimage(inner: bytes, *, packing: str = "zstd", payload: bytes | None = None) -> bytes:
    """A boot sector, one setup sector, a little code, then the payload."""
    packed = payload if payload is not None else PACKED[packing](inner)
    image = bytearray(1024 + 64)
    image[0x1F1] = 1
    struct.pack_into("<H", image, 0x1FE, 0xAA55)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x20F)
    struct.pack_into("<II", image, 0x248, 64, len(packed))
    return bytes(image) + packed + bytes(32)
