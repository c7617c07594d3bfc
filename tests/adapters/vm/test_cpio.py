from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from schedops.adapters.vm.cpio import archive, tree_archive


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    if shutil.which("cpio") is None and shutil.which("busybox") is None:
        pytest.skip("neither cpio nor busybox is installed")
    tree, back = tmp_path / "tree", tmp_path / "back"
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/doc").mkdir()
    (tree / "usr/doc/x").write_bytes(b"unwanted")
    (tree / "usr/bin/a").write_bytes(b"abc")
    (tree / "usr/bin/a").chmod(0o750)
    (tree / "bin").symlink_to("usr/bin")
    back.mkdir()
    data = b"".join(tree_archive(tree, lambda name: name != "usr/doc"))
    command = ["cpio", "-idm"] if shutil.which("cpio") else ["busybox", "cpio", "-idm"]
    subprocess.run(command, input=data, cwd=back, check=True, capture_output=True)
    assert sorted(str(path.relative_to(back)) for path in back.rglob("*")) == ["bin", "usr", "usr/bin", "usr/bin/a"]
    assert (back / "bin").readlink() == Path("usr/bin")
    assert (back / "usr/bin/a").read_bytes() == b"abc"
    assert (back / "usr/bin/a").stat().st_mode & 0o777 == 0o750


def test_equal_trees_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b").write_bytes(b"2")
        (tmp_path / name / "a").write_bytes(b"1")
    one, two = (b"".join(tree_archive(tmp_path / name, lambda _: True)) for name in ("one", "two"))
    assert one == two
    assert one.endswith(archive((), {}))
