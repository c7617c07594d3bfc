from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from schedops.adapters.toolbox import guest_files
from schedops.adapters.toolbox.guest_files import with_files
from schedops.adapters.toolbox.guest_programs import versions_of
from schedops.adapters.vm.cpio import archive
from schedops.errors import InputError


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "base" / "archive.cpio"
    path.parent.mkdir()
    path.write_bytes(archive(("usr", "usr/bin"), {"usr/bin/make": b"make"}))
    path.with_name("PACKAGES").write_text("make 4.4\n")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "linux"
    (top / "kernel/.git").mkdir(parents=True)
    (top / "kernel/.git/objects").write_bytes(b"history")
    (top / "kernel/fork.c").write_bytes(b"int fork;")
    (top / "Makefile").symlink_to("kernel/Makefile")
    return top


def test_programs_and_a_tree_follow_what_is_there(base: Path, tree: Path) -> None:
    made = with_files(base, {"schedops-hint": b"launcher"}, tree=tree)
    data = made.read_bytes()
    assert data.startswith(base.read_bytes())
    names = (b"usr/local/bin/schedops-hint", b"launcher", b"job/source/kernel/fork.c", b"job/source/Makefile")
    assert all(name in data for name in names)
    assert b"history" not in data
    assert versions_of(made) == ("make 4.4",)
    assert with_files(base, {"schedops-hint": b"launcher"}, tree=tree) == made
    assert with_files(base, {"schedops-hint": b"newer"}, tree=tree) != made
    left = {one.name for one in made.parent.parent.iterdir()}
    assert len(left) == 2


def test_what_follows_are_archives(base: Path, tree: Path, tmp_path: Path) -> None:
    if shutil.which("cpio") is None and shutil.which("busybox") is None:
        pytest.skip("neither cpio nor busybox is installed")
    command = ["cpio", "-idm"] if shutil.which("cpio") else ["busybox", "cpio", "-idm"]
    more = with_files(base, {"tool": b"t"}, tree=tree).read_bytes()[base.stat().st_size :]
    end = archive((), {})
    for one in more.removesuffix(end).split(end):
        subprocess.run(command, input=one + end, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "job/source/kernel/fork.c").read_bytes() == b"int fork;"
    assert (tmp_path / "usr/local/bin/tool").stat().st_mode & 0o111


def test_a_tree_that_is_too_large_or_cannot_be_read_is_bad_input(
    base: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        with_files(base, {}, tree=tree / "kernel/fork.c")
    monkeypatch.setattr(guest_files, "MAX_TREE_BYTES", 100)
    with pytest.raises(InputError, match="more than"):
        with_files(base, {}, tree=tree)
    assert list((base.parent.parent / "cache/programs").iterdir()) == []  # nothing half-made is left
