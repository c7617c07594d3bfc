"""The running kernel as a kernel to build for: its own BTF, and what it is called in the store."""

from __future__ import annotations

import os
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.host.fitness import Fit
from schedops.model.kernel import Kernel
from schedops.ports import KernelImage


def running_kernel(fit: Fit, *, boot: Path = Path("/boot")) -> KernelImage:
    """Its types are kept in the cache, where the compiler looks for them. It cannot be booted.

    :raises OSError: the cache cannot be written.
    """
    release = os.uname().release
    directory = cache_dir() / "running" / fit.btf_sha256
    if not (directory / "btf").exists():
        write_whole(directory / "btf", fit.btf)
    config = boot / f"config-{release}"
    if config.is_file() and not (directory / "config").exists():
        write_whole(directory / "config", config.read_bytes())
    kernel = Kernel(name=release, release=release, btf_sha256=fit.btf_sha256, vmlinux_sha256="", source="running")
    return KernelImage(kernel, directory)
