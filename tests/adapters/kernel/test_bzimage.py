from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.kernel.bzimage import vmlinux_of
from schedops.errors import InputError
from tests.fakes.kernels import PACKED, bzimage, vmlinux

INNER = vmlinux()


def refused(data: bytes, **options: int) -> str:
    with pytest.raises(InputError) as error:
        vmlinux_of(data, where="f", **options)
    assert (error.value.code, error.value.where) == ("bad-kernel-image", "f")
    return error.value.message


@pytest.mark.parametrize("packing", PACKED)
def test_payload_of_every_known_packing(packing: str) -> None:
    assert vmlinux_of(bzimage(INNER, packing=packing), where="f") == INNER


def test_vmlinux_is_itself() -> None:
    assert vmlinux_of(INNER, where="f") == INNER


def test_unpacked_payload() -> None:
    assert vmlinux_of(bzimage(b"", payload=INNER), where="f") == INNER


@pytest.mark.parametrize(
    ("magic", "name"), [(b"\x02\x21\x4c\x18", "LZ4"), (b"\x89LZO\0", "LZO"), (b"\x5d\0\0\x80\0", "LZMA")]
)
def test_other_packings_are_refused_by_name(magic: bytes, name: str) -> None:
    message = refused(bzimage(b"", payload=magic + bytes(64)))
    assert message == f"payload at offset 0x440 is packed with {name}; zstd, xz, gzip and bzip2 are known"


def test_unknown_packing_tells_how_it_begins() -> None:
    assert "(it begins deadbeef0000)" in refused(bzimage(b"", payload=b"\xde\xad\xbe\xef" + bytes(64)))


def test_not_a_kernel_at_all() -> None:
    assert refused(b"root:x:0:0\n" * 100) == "neither an ELF file nor a bzImage: no 'HdrS' at offset 0x202"
    assert refused(b"") == "0 bytes are too few for a kernel"


def test_old_boot_protocol() -> None:
    data = bytearray(bzimage(INNER))
    struct.pack_into("<H", data, 0x206, 0x207)
    assert refused(bytes(data)) == "boot protocol 2.07 at offset 0x206 is older than 2.08"


@pytest.mark.parametrize(("offset", "length"), [(0, 1 << 31), (0xFFFFFFFF, 64), (64, 3)])
def test_payload_outside_the_file(offset: int, length: int) -> None:
    data = bytearray(bzimage(INNER))
    struct.pack_into("<II", data, 0x248, offset, length)
    assert "(told at 0x248) is not within the" in refused(bytes(data))


@pytest.mark.parametrize("packing", PACKED)
def test_bomb_stops_at_the_limit(packing: str) -> None:
    bomb = bzimage(b"\x7fELF" + bytes(16 << 20), packing=packing)
    assert refused(bomb, limit_bytes=2 << 20) == "payload at offset 0x440 unpacks to more than 2 MiB"


@pytest.mark.parametrize("packing", PACKED)
def test_payload_that_is_no_kernel(packing: str) -> None:
    assert "is no ELF file once unpacked" in refused(bzimage(b"hello" * 100, packing=packing))


@pytest.mark.parametrize("packing", PACKED)
def test_truncated_payload(packing: str) -> None:
    packed = PACKED[packing](INNER)
    assert "does not unpack" in refused(bzimage(b"", payload=packed[: len(packed) // 2]))


@given(at=st.integers(0, len(bzimage(INNER)) - 1), value=st.integers(0, 255))
def test_a_changed_byte_gives_a_kernel_or_an_input_error(at: int, value: int) -> None:
    data = bytearray(bzimage(INNER))
    data[at] = value
    try:
        assert vmlinux_of(bytes(data), where="f").startswith(b"\x7fELF")
    except InputError as error:
        assert error.code == "bad-kernel-image"  # noqa: PT017 - either is right, anything else is not
