from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.kernel.vmlinux import config_of, content_of, release_of, sections_of
from schedops.errors import InputError
from tests.fakes.kernels import GOOD, btf, vmlinux

TYPES = btf(GOOD)
KERNEL = vmlinux("6.16.12+deb13-cloud-amd64", TYPES, config="CONFIG_SCHED_CLASS_EXT=y\n")


def test_release_btf_and_configuration() -> None:
    sections = sections_of(KERNEL, where="f")
    assert [section.name for section in sections] == [".rodata", ".BTF", ".shstrtab"]
    assert content_of(KERNEL, sections, ".BTF") == TYPES
    assert content_of(KERNEL, sections, ".text") is None
    assert release_of(KERNEL, sections, where="f") == "6.16.12+deb13-cloud-amd64"
    assert config_of(KERNEL) == "CONFIG_SCHED_CLASS_EXT=y\n"


def test_no_configuration_built_in() -> None:
    assert config_of(vmlinux()) is None
    assert config_of(b"IKCFG_ST\x1f\x8bnot gzip") is None


@pytest.mark.parametrize("release", ["../../etc", "7.3\x1b[2J", "7.3.4" + "a" * 60, ""])
def test_a_banner_that_is_no_release_is_no_kernel(release: str) -> None:
    data = vmlinux(release)
    with pytest.raises(InputError, match="no 'Linux version' banner"):
        release_of(data, sections_of(data, where="f"), where="f")


@pytest.mark.parametrize(
    ("place", "form", "value", "said"),
    [
        (0x12, "<H", 183, "not for x86-64"),
        (4, "<B", 1, "not for x86-64"),
        (0x28, "<Q", 1 << 62, "section table of 4 entries at offset 0x4000000000000000"),
        (0x3C, "<H", 0, "section table of 0 entries"),
        (0x3E, "<H", 99, "section table"),
    ],
)
def test_damaged_headers_say_the_offset(place: int, form: str, value: int, said: str) -> None:
    data = bytearray(KERNEL)
    struct.pack_into(form, data, place, value)
    with pytest.raises(InputError, match=said):
        sections_of(bytes(data), where="f")


@given(at=st.integers(0, len(KERNEL) - 1), value=st.binary(min_size=1, max_size=8))
def test_changed_bytes_never_give_anything_but_an_input_error(at: int, value: bytes) -> None:
    data = KERNEL[:at] + value + KERNEL[at + len(value) :]
    try:
        sections = sections_of(data, where="f")
        release_of(data, sections, where="f")
        config_of(data)
    except InputError as error:
        assert error.code == "bad-kernel-image"  # noqa: PT017 - either is right, anything else is not
