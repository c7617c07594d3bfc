"""A kernel file of any usual kind to its vmlinux. The file may be anything: every offset is checked.

Boot header: Documentation/arch/x86/boot.rst of the Linux kernel.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from schedops.errors import InputError

MAX_FILE_BYTES = 512 << 20
MAX_VMLINUX_BYTES = 512 << 20
_CHUNK = 1 << 20
_ZSTD_STEP = 1024
_HEADER_BYTES = 0x268
_MAX_WINDOW_BYTES = 128 << 20  # the kernel packs with zstd --ultra -22, whose window this is

_ELF = b"\x7fELF"
_REFUSED = (
    (b"\x02\x21\x4c\x18", "LZ4"),
    (b"\x89LZO", "LZO"),
    (b"\x5d\x00\x00", "LZMA"),
)


def vmlinux_of(data: bytes, *, where: str, limit_bytes: int = MAX_VMLINUX_BYTES) -> bytes:
    """The vmlinux in *data*: itself, or the payload of a bzImage (zstd, xz, gzip, bzip2).

    :param where: file name, for messages.
    :raises InputError: ``bad-kernel-image`` with the offset where it stopped making sense.
    """
    if data.startswith(_ELF):
        return data
    start, length = _payload(data, where)
    payload = data[start : start + length]
    if payload.startswith(_ELF):
        return payload
    unpacked = _unpack(payload, start, where, limit_bytes)
    if not unpacked.startswith(_ELF):
        raise bad(f"the payload at offset {start:#x} is no ELF file once unpacked", where)
    return unpacked


def bad(message: str, where: str) -> InputError:
    """What is said of a file that is no kernel we can read."""
    return InputError(
        "bad-kernel-image", message, where=where, hint="give a bzImage (/boot/vmlinuz-*) or an uncompressed vmlinux"
    )


def _payload(data: bytes, where: str) -> tuple[int, int]:
    if len(data) < _HEADER_BYTES:
        raise bad(f"{len(data)} bytes are too few for a kernel", where)
    if data[0x202:0x206] != b"HdrS":
        raise bad("neither an ELF file nor a bzImage: no 'HdrS' at offset 0x202", where)
    (protocol,) = struct.unpack_from("<H", data, 0x206)
    if protocol < 0x208:
        raise bad(f"boot protocol {protocol >> 8}.{protocol & 255:02} at offset 0x206 is older than 2.08", where)
    setup_sectors = data[0x1F1] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    if length < 16 or start + length > len(data):
        raise bad(
            f"payload of {length} bytes at offset {start:#x} (told at 0x248) is not within the {len(data)} bytes",
            where,
        )
    return start, length


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _unpack(payload: bytes, start: int, where: str, limit_bytes: int) -> bytes:
    for magic, name in _REFUSED:
        if payload.startswith(magic):
            raise bad(f"payload at offset {start:#x} is packed with {name}; zstd, xz, gzip and bzip2 are known", where)
    for magic, unpack in _KNOWN:
        if payload.startswith(magic):
            try:
                return unpack(payload, limit_bytes)
            except _TooBigError:
                raise bad(f"payload at offset {start:#x} unpacks to more than {limit_bytes >> 20} MiB", where) from None
            except (zstandard.ZstdError, lzma.LZMAError, zlib.error, OSError, EOFError, ValueError) as error:
                raise bad(f"payload at offset {start:#x} does not unpack: {error}", where) from None
    raise bad(f"payload at offset {start:#x} is packed in an unknown way (it begins {payload[:6].hex()})", where)


class _TooBigError(Exception):
    pass


def _zstd(payload: bytes, limit_bytes: int) -> bytes:
    # Ends with its frame: the build appends four bytes to it. A block of 128 KiB can come from four bytes of input,
    # so small steps keep what one call may return near the limit.
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
    out = bytearray()
    for at in range(0, len(payload), _ZSTD_STEP):
        _grow(out, unpacker.decompress(payload[at : at + _ZSTD_STEP]), limit_bytes)
        if unpacker.eof:
            return bytes(out)
    raise EOFError("it ends early")


def _stepwise(unpacker: _Unpacker, payload: bytes, limit_bytes: int) -> bytes:
    out = bytearray()
    data = payload
    while not unpacker.eof:
        chunk = unpacker.decompress(data, _CHUNK)
        data = b""
        _grow(out, chunk, limit_bytes)
        if not chunk and unpacker.needs_input:
            raise EOFError("it ends early")
    return bytes(out)


def _gzip(payload: bytes, limit_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    out = bytearray()
    data = payload
    while not unpacker.eof:
        chunk = unpacker.decompress(data, _CHUNK)
        data = unpacker.unconsumed_tail
        _grow(out, chunk, limit_bytes)
        if not chunk and not data and not unpacker.eof:
            raise EOFError("it ends early")
    return bytes(out)


def _grow(out: bytearray, chunk: bytes, limit_bytes: int) -> None:
    if len(out) + len(chunk) > limit_bytes:
        raise _TooBigError
    out += chunk


def _xz(payload: bytes, limit_bytes: int) -> bytes:
    return _stepwise(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20), payload, limit_bytes)


def _bzip2(payload: bytes, limit_bytes: int) -> bytes:
    return _stepwise(bz2.BZ2Decompressor(), payload, limit_bytes)


_KNOWN: tuple[tuple[bytes, Callable[[bytes, int], bytes]], ...] = (
    (b"\x28\xb5\x2f\xfd", _zstd),
    (b"\xfd7zXZ\x00", _xz),
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
)
