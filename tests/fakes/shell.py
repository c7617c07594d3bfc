"""An archive of programs for guests: nothing but a shell and its tools, the host's own busybox."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schedops.adapters.vm.cpio import tree_archive

TOOLS = ("sh", "nc", "cat", "head", "sleep", "test", "rm")


def shell_archive(directory: Path) -> Path:
    """Made in *directory*; a test without busybox is skipped."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    tree = directory / "tree"
    for name in ("usr/bin", "job", "etc"):
        (tree / name).mkdir(parents=True)
    shutil.copy(busybox, tree / "usr/bin/busybox")
    for name in TOOLS:
        (tree / "usr/bin" / name).symlink_to("busybox")
    path = directory / "programs" / "archive.cpio"
    path.parent.mkdir()
    path.write_bytes(b"".join(tree_archive(tree, lambda name: name != "etc")))
    return path
