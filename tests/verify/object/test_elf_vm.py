"""What is read from an object, held against pyelftools; what is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.model.policy import Policy
from schedops.ports import KernelImage
from schedops.verify.object.check import check_object
from schedops.verify.object.differ import differences
from schedops.verify.object.elf import BadObject, inspect
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.object.layout import read_layout
from schedops.verify.object.patch import with_timeout

pytestmark = pytest.mark.vm  # kernels and the compiler are needed, a guest is not
Build = Callable[..., bytes]


@pytest.fixture
def good(build: Build, newest_kernel: KernelImage) -> bytes:
    return build("good", newest_kernel)


def test_layout_is_what_pyelftools_sees(good: bytes) -> None:
    layout, other = read_layout(good), ELFFile(io.BytesIO(good))
    assert [section.name for section in layout.sections] == [section.name for section in other.iter_sections()]
    assert [section.data for section in layout.sections if section.kind not in (0, 8)] == [
        section.data() for section in other.iter_sections() if section["sh_type"] not in ("SHT_NULL", "SHT_NOBITS")
    ]
    symbols = list(other.get_section_by_name(".symtab").iter_symbols())
    assert [(one.name, one.value, one.size) for one in layout.symbols if one.kind != 3] == [
        (one.name, one["st_value"], one["st_size"]) for one in symbols if one["st_info"]["type"] != "STT_SECTION"
    ]
    for at, places in layout.relocations.items():
        section = other.get_section_by_name(f".rel{layout.sections[at].name}")
        theirs = {one["r_offset"]: symbols[one["r_info_sym"]]["st_value"] for one in section.iter_relocations()}
        assert {offset: symbol.value for offset, symbol in places.items()} == theirs


def test_facts_of_a_policy(good: bytes) -> None:
    facts = inspect(good)
    assert (facts.ops_name, facts.ops_flags, facts.timeout_ms, facts.dispatch_max_batch) == ("good", 3, 5000, 0)
    assert facts.callbacks == (
        ("enqueue", "g_enqueue"), ("dispatch", "g_dispatch"), ("running", "g_running"), ("init", "g_init")
    )  # fmt: skip
    assert facts.licence == "GPL"
    assert facts.loader_sets == ("__SCX_KICK_PREEMPT",)
    assert facts.functions["g_init"].timers == ("on_tick",)
    assert set(facts.functions["g_enqueue"].callees) == {"look", "put"}
    assert [(one.name, one.kind, one.max_entries) for one in facts.maps[:2]] == [
        ("timers", 2, 1),
        ("grows", 1, 1 << 24),
    ]
    insert = [call for call in facts.functions["put"].calls if call.name == "scx_bpf_dsq_insert"]
    assert [(call.args[1], call.args[2]) for call in insert] == [(0, 5_000_000)]
    assert insert[0].place is not None
    assert insert[0].place.file == "good.bpf.c"
    kfuncs = {one.name: one for one in facts.kernel_functions}
    assert kfuncs["scx_bpf_dsq_peek"].weak
    assert kfuncs["scx_bpf_dsq_peek"].params == ("u64",)
    assert "task_struct.scx.weight" in {one.path for one in facts.relocations if one.function == "g_running"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an ELF file"),
        (b"\x7fELF" + bytes(60), "not a 64-bit little-endian"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 1, 62) + bytes(44), "not a relocatable one for BPF"),
        (bytes(9 << 20), "at most 8388608 are looked at"),
    ],
)
def test_what_is_no_object_is_told(data: bytes, said: str) -> None:
    with pytest.raises(BadObject, match=said):
        inspect(data)


def test_object_without_types_is_told(good: bytes) -> None:
    with pytest.raises(BadObject, match="compile it with `-g`"):
        inspect(_renamed(good, ".BTF", ".bss"))


def test_two_sections_of_one_name_are_refused(good: bytes) -> None:
    with pytest.raises(BadObject, match="two sections called license"):
        inspect(_renamed(good, ".bss", "license"))


def _renamed(elf: bytes, section: str, like: str) -> bytes:
    """*section* gets the name of the section *like*."""
    layout, data = read_layout(elf), bytearray(elf)
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    at, other = table + 64 * layout.index(section), table + 64 * layout.index(like)
    data[at : at + 4] = data[other : other + 4]
    return bytes(data)


def test_damaged_objects_give_facts_or_one_message(good: bytes, policy: Policy) -> None:
    """Whatever the bytes: nothing but BadObject, with a message of one printable line."""
    sections = [section for section in read_layout(good).sections if section.data]
    (table,) = struct.unpack_from("<Q", good, 0x28)
    whole = inspect(good)

    places = st.one_of(
        st.integers(0, len(good) - 1),
        st.integers(table, len(good) - 1),
        st.sampled_from(sections).flatmap(lambda one: st.integers(one.offset, one.offset + one.size - 1)),
    )
    values = st.one_of(
        st.sampled_from([bytes(4), b"\xff" * 4, b"\xff" * 8, b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\x01\0\0\0"]),
        st.binary(min_size=1, max_size=8),
    )

    @settings(max_examples=300)
    @given(st.lists(st.tuples(places, values), min_size=1, max_size=16), st.integers(0, 4 * len(good)))
    def damaged(changes: list[tuple[int, bytes]], length: int) -> None:
        data = bytearray(good)
        for at, value in changes:
            data[at : at + len(value)] = value
        _look_at(bytes(data[: max(length, 1)]))

    def _look_at(data: bytes) -> None:
        try:
            facts = inspect(data)
        except BadObject as bad:
            assert str(bad).isprintable()  # noqa: PT017 - either is right, anything else is not
            assert len(str(bad)) < 400  # noqa: PT017 - as above
        else:
            found = (*check_object(facts, policy, None), *differences({"one": whole, "other": facts}))
            assert all(one.text.isprintable() for one in found)
        for other in (behaviour_digest, lambda elf: with_timeout(elf, 3000)):
            with suppress(BadObject):
                other(data)

    damaged()
