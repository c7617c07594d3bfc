"""A kernel file, looked at: who it is, and whether sched_ext policies can run on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.kernel.btf import Btf, Function
from schedops.adapters.kernel.bzimage import MAX_FILE_BYTES, bad, vmlinux_of
from schedops.adapters.kernel.vmlinux import config_of, content_of, release_of, sections_of
from schedops.errors import InputError, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFile:
    """A kernel fit for policies, in memory."""

    release: str
    vmlinux: bytes
    btf: bytes
    config: str | None

    @property
    def btf_sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.btf).hexdigest()

    @property
    def vmlinux_sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.vmlinux).hexdigest()


def read_kernel(path: Path, *, config: str | None = None) -> KernelFile:
    """Read a bzImage or vmlinux.

    :param config: its configuration where known from elsewhere; else what is built into it.
    :raises InputError: no such file, or no kernel we can read (with the offset).
    :raises Refused: ``kernel-unfit``: a kernel, but no policy could run on it, with the reason.
    """
    where = str(path)
    vmlinux = vmlinux_of(_bytes_of(path), where=where)
    sections = sections_of(vmlinux, where=where)
    release = release_of(vmlinux, sections, where=where)
    config = config if config is not None else config_of(vmlinux)
    btf = content_of(vmlinux, sections, ".BTF")
    reason = why_unfit(btf, config, where=where)
    if btf is None or reason:
        raise Refused("kernel-unfit", f"{release}: {reason}", where=where, hint="`schedops kernel list --available`")
    return KernelFile(release=release, vmlinux=vmlinux, btf=btf, config=config)


def why_unfit(btf: bytes | None, config: str | None, *, where: str) -> str:
    """Why no policy can run on this kernel; empty when one can. Decided by looking, never by version.

    :raises InputError: the BTF is damaged.
    """
    if config is not None and "CONFIG_SCHED_CLASS_EXT=y" not in config.splitlines():
        return "built without CONFIG_SCHED_CLASS_EXT"
    if btf is None:
        return "has no BTF (built without CONFIG_DEBUG_INFO_BTF)"
    types = Btf(btf, where=where)
    functions = types.functions("scx_bpf_")
    if not functions or not types.has_struct("sched_ext_ops"):
        return "built without CONFIG_SCHED_CLASS_EXT"
    spoilt = [function.name for function in functions if _shows_implicit_argument(function)]
    if spoilt:
        return (
            f"its BTF is broken: {len(spoilt)} scheduler kfuncs ({', '.join(spoilt[:2])} ...) carry the implicit "
            "argument 'aux', so libbpf and the kernel refuse every policy that calls them"
        )
    return ""


def _shows_implicit_argument(function: Function) -> bool:
    # KF_IMPLICIT_ARGS: the function proper is <name>_impl with 'aux' at the end, and the build makes a <name> without
    # it for programs. Where that step went wrong, <name> itself has the argument, which no program can give.
    if function.name.endswith("_impl") or not function.params:
        return False
    last = function.params[-1]
    return last.name == "aux" and last.points_to == "bpf_prog_aux"


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError("no-kernel-file", f"cannot read it: {error.strerror}", where=str(path)) from None
    if len(data) > MAX_FILE_BYTES:
        raise bad(f"more than {MAX_FILE_BYTES >> 20} MiB", str(path))
    return data
