"""``vmlinux.h``: a kernel's own types as C, made from its BTF once and kept by the BTF's digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from schedops import proc
from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.toolbox.tools import require_tool
from schedops.errors import Unavailable
from schedops.ports import KernelImage

_DUMP_S = 60.0
_MAX_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class KernelTypes:
    """A ``vmlinux.h`` and the digest of its bytes."""

    path: Path
    sha256: str


def kernel_types(image: KernelImage, directory: Path) -> KernelTypes:
    """The types of *image*, from the cache when they are there and whole.

    :param directory: the cache.
    :raises Unavailable: bpftool is missing, or cannot read the kernel's BTF.
    """
    bpftool = require_tool("bpftool")
    path = directory / f"{image.kernel.btf_sha256}-{bpftool.version}.h"
    seal = path.with_suffix(".sha256")
    if (digest := _sealed(path, seal)) is not None:
        return KernelTypes(path, digest)
    argv = (*bpftool.argv, "btf", "dump", "file", str(image.directory / "btf"), "format", "c")
    done = proc.run(argv, deadline_s=_DUMP_S, env=bpftool.env, max_output_bytes=_MAX_BYTES)
    if not done.ok or not done.stdout.startswith(b"#ifndef __VMLINUX_H__"):
        words = proc.printable((done.stderr or done.stdout)[-400:]).strip()
        raise Unavailable("kernel-types", f"bpftool cannot read the BTF of {image.kernel.name}", detail=words)
    digest = hashlib.sha256(done.stdout).hexdigest()
    write_whole(path, done.stdout)
    write_whole(seal, digest.encode())
    return KernelTypes(path, digest)


def _sealed(path: Path, seal: Path) -> str | None:
    try:
        digest = seal.read_text(encoding="ascii")
        return digest if hashlib.sha256(path.read_bytes()).hexdigest() == digest else None
    except (OSError, ValueError):
        return None
