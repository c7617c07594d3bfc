from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.kernel.btf import Btf, Function, Param
from schedops.errors import InputError
from tests.fakes.kernels import GOOD, btf

TYPES = btf(GOOD)


def test_functions_with_their_parameters() -> None:
    assert Btf(TYPES).functions("scx_bpf_") == (
        Function("scx_bpf_create_dsq", (Param("dsq_id", ""), Param("node", "")), kfunc=True),
        Function(
            "scx_bpf_create_dsq_impl",
            (Param("dsq_id", ""), Param("node", ""), Param("aux", "bpf_prog_aux")),
            kfunc=False,
        ),
    )
    assert Btf(TYPES).functions("scx_bpf_none") == ()


def test_structs() -> None:
    assert Btf(TYPES).has_struct("sched_ext_ops")
    assert not Btf(TYPES).has_struct("sched_ext")  # a prefix is another name
    assert not Btf(TYPES).has_struct("int")  # not a struct


@pytest.mark.parametrize(
    ("place", "form", "value", "said"),
    [
        (0, "<H", 0x9FEB, "magic 0x9feb"),
        (2, "<B", 2, "version 2"),
        (12, "<I", 1 << 31, "types or strings end outside the section"),
        (20, "<I", 1 << 31, "types or strings end outside the section"),
        (28, "<I", 31 << 24, "BTF offset 0x18: unknown kind 31"),
        (28, "<I", 4 << 24 | 0xFFFF, "ends outside the types"),
    ],
)
def test_damage_is_told_with_its_offset(place: int, form: str, value: int, said: str) -> None:
    data = bytearray(TYPES)
    struct.pack_into(form, data, place, value)
    with pytest.raises(InputError, match=said) as error:
        Btf(bytes(data), where="f").functions("")
    assert (error.value.code, error.value.where) == ("bad-btf", "f")


def test_pointer_that_points_to_itself_ends() -> None:
    data = bytearray(TYPES)
    at = data.index(struct.pack("<III", 0, 10 << 24, 2))  # const struct bpf_prog_aux
    struct.pack_into("<I", data, at + 8, 3)  # type 3 is that const itself
    assert Btf(bytes(data)).functions("scx_bpf_create_dsq_impl")[0].params[2] == Param("aux", "")


@given(at=st.integers(0, len(TYPES) - 1), value=st.binary(min_size=1, max_size=8))
def test_changed_bytes_never_give_anything_but_an_input_error(at: int, value: bytes) -> None:
    data = TYPES[:at] + value + TYPES[at + len(value) :]
    try:
        types = Btf(data)
        types.functions("")
        types.has_struct("sched_ext_ops")
    except InputError as error:
        assert error.code == "bad-btf"  # noqa: PT017 - either is right, anything else is not


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(InputError):
        Btf(data)
