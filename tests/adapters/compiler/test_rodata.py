"""Parameters are written where the object keeps them, and an object that is not what policy.yaml says is refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from schedops import proc
from schedops.adapters.compiler.rodata import ParamRefused, set_params
from schedops.model.policy import Param, ParamValue

_SOURCE = """
const volatile unsigned long long slice_us = 5000;
const volatile unsigned int share = 7;
const volatile int bias = -3;
const volatile _Bool eager = 1;
unsigned long long written = 9;
unsigned long long use(void) { return slice_us + share + bias + eager + written++; }
"""


def param(name: str, type_: str, default: int, low: int, high: int) -> Param:
    return Param(name=name, type=type_, default=default, min=low, max=high, unit="us", meaning="")


SLICE = param("slice_us", "u64", 5000, 500, 20000)
SHARE = param("share", "u32", 7, 0, 100)
BIAS = param("bias", "s32", -3, -10, 10)
EAGER = param("eager", "bool", 1, 0, 1)
ALL = (SLICE, SHARE, BIAS, EAGER)


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    place = tmp_path_factory.mktemp("elf")
    (place / "a.c").write_text(_SOURCE)
    argv = ("clang-19", "-g", "-O2", "-target", "bpf", "-mcpu=v3", "-c", "a.c", "-o", "a.o")
    proc.checked(argv, deadline_s=30, cwd=place)
    return Path(place / "a.o").read_bytes()


def read(elf: bytes, name: str, form: str) -> int:
    file = ELFFile(io.BytesIO(elf))
    symbol = file.get_section_by_name(".symtab").get_symbol_by_name(name)[0]
    data = file.get_section(symbol["st_shndx"]).data()
    return struct.unpack_from(form, data, symbol["st_value"])[0]


def test_a_value_of_every_kind_arrives(elf: bytes) -> None:
    values = (
        ParamValue(name="slice_us", value=12345),
        ParamValue(name="share", value=99),
        ParamValue(name="bias", value=-10),
        ParamValue(name="eager", value=0),
    )
    patched = set_params(elf, ALL, values)
    found = [read(patched, n, f) for n, f in (("slice_us", "<Q"), ("share", "<I"), ("bias", "<i"), ("eager", "<B"))]
    assert found == [12345, 99, -10, 0]
    assert read(patched, "written", "<Q") == 9
    assert len(patched) == len(elf)


def test_without_values_the_object_stays_as_it_is(elf: bytes) -> None:
    assert set_params(elf, ALL, ()) == elf


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        (SLICE, ParamValue(name="slice_ms", value=5), "there is no parameter slice_ms; the policy has: slice_us"),
        (SLICE, ParamValue(name="slice_us", value=499), "slice_us = 499 is not in 500 .. 20000 us"),
        (SLICE, ParamValue(name="slice_us", value=20001), "slice_us = 20001 is not in 500 .. 20000 us"),
        (SLICE, ParamValue(name="slice_us", value=-1), "slice_us = -1 is not in 500 .. 20000 us"),
        (param("absent", "u64", 1, 0, 2), None, "the source has no `const volatile u64 absent`"),
        (param("written", "u64", 9, 0, 10), None, "the source has no `const volatile u64 written`"),
        (param("share", "u64", 7, 0, 9), None, "share is 4 bytes in the source, but u64 (8) in policy.yaml"),
        (
            param("slice_us", "u64", 4000, 0, 9000),
            None,
            "slice_us is 5000 in the source, but its default is 4000 in policy.yaml",
        ),
        (param("slice_us", "f64", 5000, 0, 9000), None, "slice_us: a parameter cannot have the type f64"),
    ],
)
def test_what_does_not_fit_is_refused(elf: bytes, declared: Param, value: ParamValue | None, message: str) -> None:
    with pytest.raises(ParamRefused) as refused:
        set_params(elf, (declared,), (value,) if value else ())
    assert refused.value.text == message


@pytest.mark.parametrize("data", [b"", b"not an object", b"\x7fELF" + bytes(60)])
def test_what_is_no_object_has_no_parameters(data: bytes) -> None:
    with pytest.raises(ParamRefused, match="the source has no"):
        set_params(data, (SLICE,), ())
