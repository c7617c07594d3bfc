"""What kernels offer: the real ones of the store, and what happens when a stored file is not what it was."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.kernel.api import FILE, api_of, read_api
from schedops.adapters.kernel.kernel_file import KernelFile
from schedops.adapters.kernel.kernels import KernelStore
from schedops.errors import InputError
from schedops.model.kernel import KernelApi, Kfunc
from schedops.ports import KernelImage
from tests.fakes.kernels import GOOD, btf, vmlinux

TYPES = btf(GOOD)


@pytest.fixture
def image(tmp_path: Path) -> KernelImage:
    store = KernelStore(tmp_path / "kernels")
    return store.put(
        KernelFile(release="7.3.4", vmlinux=vmlinux("7.3.4", TYPES), btf=TYPES, config=None), source="added"
    )


def with_enums() -> bytes:
    """An ENUM of signed values, an ENUM64, and ``sched_ext_ops`` with two members."""
    names = b"\0SCX_A\0OTHER\0SCX_B\0sched_ext_ops\0enqueue\0flags\0"
    at = {name: names.index(b"\0" + name.encode() + b"\0") + 1 for name in names.decode().split("\0") if name}
    types = struct.pack("<IIIIiIi", 0, 1 << 31 | 6 << 24 | 2, 4, at["SCX_A"], -1, at["OTHER"], 1)
    types += struct.pack("<IIIIII", 0, 19 << 24 | 1, 8, at["SCX_B"], 5, 1 << 31)
    types += struct.pack("<IIIIIIIII", at["sched_ext_ops"], 4 << 24 | 2, 16, at["enqueue"], 0, 0, at["flags"], 0, 64)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(names)) + types + names


def test_kfuncs_are_those_that_the_build_marked() -> None:
    api = read_api(TYPES, where="")
    assert api.kfuncs == (Kfunc(name="scx_bpf_create_dsq", params=("int", "int"), returns="int"),)


def test_enumerators_are_unsigned_and_members_in_order() -> None:
    api = read_api(with_enums(), where="")
    assert api.enums == (("SCX_A", (1 << 64) - 1), ("SCX_B", 1 << 63 | 5))
    assert api.ops_members == ("enqueue", "flags")


def test_is_read_once_and_kept(image: KernelImage) -> None:
    first = api_of(image)
    (image.directory / "btf").unlink()
    assert api_of(image) == first == KernelStore(image.directory.parent).api(image)


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 0}', '{"format": 1}'])
def test_a_spoilt_file_is_made_again(image: KernelImage, damage: str) -> None:
    first = api_of(image)
    (image.directory / FILE).write_text(damage)
    assert api_of(image) == first
    assert json.loads((image.directory / FILE).read_bytes())["btf_sha256"] == image.kernel.btf_sha256


def test_btf_that_is_not_the_stored_one_is_told(image: KernelImage) -> None:
    (image.directory / "btf").write_bytes(with_enums())
    with pytest.raises(InputError) as error:
        api_of(image)
    assert error.value.code == "kernel-damaged"
    (image.directory / "btf").unlink()
    with pytest.raises(InputError) as error:
        api_of(image)
    assert error.value.code == "kernel-damaged"


@given(at=st.integers(0, len(TYPES) - 1), value=st.binary(min_size=1, max_size=8))
def test_changed_bytes_never_give_anything_but_an_input_error(at: int, value: bytes) -> None:
    try:
        read_api(TYPES[:at] + value + TYPES[at + len(value) :], where="f")
    except InputError as error:
        assert error.code == "bad-btf"  # noqa: PT017 - either is right, anything else is not


@pytest.mark.vm
def test_real_kernels(kernels: tuple[KernelImage, ...]) -> None:
    for image in kernels:
        api = api_of(image)
        kfuncs = {kfunc.name: kfunc for kfunc in api.kfuncs}
        insert = kfuncs["scx_bpf_dsq_insert"]
        assert insert.params == ("struct task_struct *", "u64", "u64", "u64")
        assert kfuncs["scx_bpf_pick_idle_cpu"].params[0] == "const struct cpumask *"
        assert "aux" not in str(api)
        assert {"enqueue", "dispatch", "flags", "name", "timeout_ms"} <= set(api.ops_members)
        assert dict(api.enums)["SCX_DSQ_LOCAL"] == 1 << 63 | 2
        assert list(api.enums) == sorted(api.enums)
        assert isinstance(api, KernelApi)
