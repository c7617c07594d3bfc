from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.kernel.btf import Btf
from schedops.adapters.kernel.kernel_file import KernelFile, read_kernel, why_unfit
from schedops.adapters.kernel.kernels import KernelStore, matches_prefix, version_key
from schedops.adapters.kernel.vmlinux import content_of, release_of, sections_of
from schedops.errors import InputError, Refused
from schedops.ports import KernelImage
from tests.fakes.kernels import BROKEN, GOOD, btf, bzimage, vmlinux


@pytest.fixture
def store(tmp_path: Path) -> KernelStore:
    return KernelStore(tmp_path / "kernels")


def kernel(release: str, extra: str = "scx_bpf_x", *, config: str | None = None) -> KernelFile:
    types = btf({**GOOD, extra: ("p",)})
    return KernelFile(release=release, vmlinux=vmlinux(release, types), btf=types, config=config)


def written(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "vmlinuz").write_bytes(data)
    return tmp_path / "vmlinuz"


def test_releases_sort_as_people_sort_them() -> None:
    releases = ["7.3-rc7", "7.3", "6.9.1", "7.2.12+deb14", "6.16.3", "6.16.12", "7.2.12+deb13", "7.3.1"]
    assert sorted(releases, key=version_key) == [
        "6.9.1", "6.16.3", "6.16.12", "7.2.12+deb13", "7.2.12+deb14", "7.3-rc7", "7.3", "7.3.1",
    ]  # fmt: skip


def test_a_prefix_does_not_end_inside_a_number() -> None:
    assert matches_prefix("6.16.12+deb13", "6.16")
    assert not matches_prefix("6.16.12+deb13", "6.1")
    assert not matches_prefix("6.16.12+deb13", "")


def test_what_is_put_is_listed_oldest_first_and_whole(store: KernelStore) -> None:
    store.put(kernel("7.3.4+deb13", config="CONFIG_X=y\n"), source="debian")
    old = store.put(kernel("6.16.12"), source="added")
    assert [image.kernel.release for image in store.list()] == ["6.16.12", "7.3.4+deb13"]
    assert old.directory.name == f"6.16.12-{old.kernel.btf_sha256[:8]}"
    assert (old.directory / "vmlinux").read_bytes() == kernel("6.16.12").vmlinux
    assert (old.directory / "btf").read_bytes() == kernel("6.16.12").btf
    assert not (old.directory / "config").exists()
    assert (store.list()[1].directory / "config").read_text() == "CONFIG_X=y\n"
    assert sorted(path.name for path in store.root.iterdir()) == sorted(
        image.directory.name for image in store.list()
    )  # nothing half


def test_find_takes_the_newest_match(store: KernelStore) -> None:
    store.put(kernel("6.16.3"), source="debian")
    newest = store.put(kernel("6.16.12"), source="debian")
    assert store.find("6.16") == newest
    assert store.find("6.16.3") is not None
    assert store.find("6.16.3") != newest
    assert store.find("6.1") is None
    assert store.find("") is None


def test_find_by_name_and_by_digest(store: KernelStore) -> None:
    image = store.put(kernel("7.3.4"), source="added", name="ours")
    for wanted in ("ours", image.kernel.btf_sha256, image.kernel.btf_sha256[:8], f"sha256:{image.kernel.btf_sha256}"):
        assert store.find(wanted) == image
    assert store.find(image.kernel.btf_sha256[:7]) is None


def test_two_builds_of_one_release_have_two_names(store: KernelStore) -> None:
    first = store.put(kernel("7.3.4"), source="added")
    second = store.put(kernel("7.3.4", "scx_bpf_y"), source="added")
    assert first.kernel.name == "7.3.4"
    assert second.kernel.name == f"7.3.4-{second.kernel.btf_sha256[:8]}"
    assert len(store.list()) == 2


def test_putting_again_changes_nothing_but_a_given_name(store: KernelStore) -> None:
    first = store.put(kernel("7.3.4"), source="debian")
    assert store.put(kernel("7.3.4"), source="added") == first
    assert store.put(kernel("7.3.4"), source="added", name="ours").kernel.name == "ours"
    assert [(image.kernel.name, image.kernel.source) for image in store.list()] == [("ours", "debian")]


def test_names_are_checked(store: KernelStore) -> None:
    store.put(kernel("7.3.4"), source="added", name="ours")
    with pytest.raises(InputError) as taken:
        store.put(kernel("7.3.5", "scx_bpf_y"), source="added", name="ours")
    assert taken.value.code == "name-taken"
    for name in ("../x", "a b", "", "x" * 65):
        with pytest.raises(InputError) as bad:
            store.put(kernel("7.3.5"), source="added", name=name or " ")
        assert bad.value.code == "bad-name"


def test_another_vmlinux_with_the_same_btf_is_refused(store: KernelStore) -> None:
    store.put(kernel("7.3.4"), source="added")
    other = kernel("7.3.4")
    with pytest.raises(InputError) as error:
        store.put(KernelFile(release="7.3.4", vmlinux=b"x", btf=other.btf, config=None), source="added")
    assert error.value.code == "kernel-differs"


@pytest.mark.parametrize("damage", ["missing", "no json", "other json"])
def test_damaged_entries_are_no_kernels(store: KernelStore, damage: str) -> None:
    image = store.put(kernel("7.3.4"), source="added")
    if damage == "missing":
        (image.directory / "vmlinux").unlink()
    else:
        (image.directory / "kernel.json").write_text("{" if damage == "no json" else '{"name": 3}')
    assert store.list() == ()
    assert store.find("7.3") is None


def test_store_lies_in_the_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "c"))
    assert KernelStore().root == tmp_path / "c" / "kernels"
    assert cache_dir() == tmp_path / "c"


def test_read_a_good_kernel(tmp_path: Path) -> None:
    types = btf(GOOD)
    file = read_kernel(written(tmp_path, bzimage(vmlinux("7.3.4", types))))
    assert (file.release, file.btf, file.config) == ("7.3.4", types, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (vmlinux("6.1.0", None), "has no BTF"),
        (vmlinux("6.1.0", btf({}, structs=())), "built without CONFIG_SCHED_CLASS_EXT"),
        (vmlinux("6.1.0", btf({}), config="# CONFIG_SCHED_CLASS_EXT is not set\n"), "CONFIG_SCHED_CLASS_EXT"),
        (vmlinux("7.1.13", btf(BROKEN)), "2 scheduler kfuncs (scx_bpf_create_dsq, scx_bpf_dsq_insert ...)"),
    ],
)
def test_kernels_no_policy_can_run_on_are_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_kernel(written(tmp_path, data))
    assert refusal.value.code == "kernel-unfit"
    assert reason in refusal.value.message


def test_a_module_is_no_kernel_and_a_directory_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not for x86-64"):
        read_kernel(written(tmp_path, b"\x7fELF" + bytes(100)))
    with pytest.raises(InputError) as error:
        read_kernel(tmp_path)
    assert error.value.code == "no-kernel-file"


@pytest.mark.vm
def test_real_kernels_of_the_store_are_what_they_say(kernels: tuple[KernelImage, ...]) -> None:
    for image in kernels:
        vmlinux_bytes = (image.directory / "vmlinux").read_bytes()
        sections = sections_of(vmlinux_bytes, where="f")
        assert release_of(vmlinux_bytes, sections, where="f") == image.kernel.release
        types = content_of(vmlinux_bytes, sections, ".BTF")
        assert types == (image.directory / "btf").read_bytes()
        assert why_unfit(types, None, where="f") == ""
        create = Btf(types or b"").functions("scx_bpf_create_dsq")[0]
        assert [param.name for param in create.params] == ["dsq_id", "node"]
