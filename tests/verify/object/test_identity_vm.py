"""Which changes to a source change what its object does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schedops.ports import KernelImage
from schedops.verify.object.elf import BadObject, inspect
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.object.layout import read_layout
from schedops.verify.object.patch import with_timeout

pytestmark = pytest.mark.vm  # kernels and the compiler are needed, a guest is not
Build = Callable[..., bytes]


def test_a_comment_changes_nothing(build: Build, newest_kernel: KernelImage) -> None:
    plain = build("good", newest_kernel)
    commented = build(
        "good",
        newest_kernel,
        ("static int on_tick", "/* new\n\n */\n\nstatic int on_tick"),
        ("peeked++;", "/* x */ peeked++;"),
    )
    assert commented != plain
    assert behaviour_digest(commented) == behaviour_digest(plain)


@pytest.mark.parametrize(
    "change",
    [
        ("5000000ULL", "5000001ULL"),  # an instruction
        (".running\t= (void *)g_running,", ""),  # a relocation
        ("1 << 24", "1 << 23"),  # a map
        ("p->scx.weight", "p->scx.slice"),  # a field that the loader looks for
    ],
)
def test_whatever_runs_otherwise_has_another_digest(
    build: Build, newest_kernel: KernelImage, change: tuple[str, str]
) -> None:
    assert behaviour_digest(build("good", newest_kernel, change)) != behaviour_digest(build("good", newest_kernel))


@pytest.mark.parametrize("name", ["license", ".rodata", ".struct_ops.link", ".maps", ".text"])
def test_one_byte_of_data_makes_another_digest(build: Build, newest_kernel: KernelImage, name: str) -> None:
    elf = build("good", newest_kernel)
    section = read_layout(elf).find(name)
    assert section is not None
    data = bytearray(elf)
    data[section.offset + section.size - 1] ^= 1
    assert behaviour_digest(bytes(data)) != behaviour_digest(elf)


def test_the_timeout_only_gets_shorter(build: Build, newest_kernel: KernelImage) -> None:
    elf = build("good", newest_kernel)
    assert with_timeout(elf, 9000) == elf
    shorter = with_timeout(elf, 3000)
    assert inspect(shorter).timeout_ms == 3000
    assert with_timeout(shorter, 4000) == shorter
    assert [at for at, (one, other) in enumerate(zip(elf, shorter, strict=True)) if one != other] != []
    none = build("good", newest_kernel, (".timeout_ms\t= 5000,", ""))
    assert (inspect(none).timeout_ms, inspect(with_timeout(none, 4000)).timeout_ms) == (0, 4000)


def test_what_has_no_timeout_is_refused(build: Build, newest_kernel: KernelImage) -> None:
    with pytest.raises(BadObject, match="no table"):
        with_timeout(build("good", newest_kernel, ('SEC(".struct_ops.link")', "")), 4000)
    for timeout_ms in (0, -1, 30_001):
        with pytest.raises(ValueError, match="no timeout of a watchdog"):
            with_timeout(build("good", newest_kernel), timeout_ms)
