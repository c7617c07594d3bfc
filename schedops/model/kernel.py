"""A kernel, known by its BTF rather than by its name: one release was seen with two different BTFs."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """:param name: short name in the kernel store, by default the release."""

    name: str
    release: str  # uname -r
    btf_sha256: str
    vmlinux_sha256: str
    source: str  # debian | added | running: the machine's own, which is in no store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kfunc:
    """A kernel function that BPF programs may call.

    :param params: C-like types without names, such as ``struct task_struct *`` or ``u64``; typedefs kept as spelled.
    """

    name: str
    params: tuple[str, ...]
    returns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelApi:
    """What one kernel offers to scheduler policies, read from its BTF. Sorted by name.

    :param ops_members: members of ``struct sched_ext_ops`` in order of the struct.
    :param enums: (enumerator, value) of all enumerators that begin with ``SCX_``, as unsigned 64-bit values.
    """

    btf_sha256: str
    kfuncs: tuple[Kfunc, ...]
    ops_members: tuple[str, ...]
    enums: tuple[tuple[str, int], ...]


def follows(release: str, version: tuple[int, int]) -> bool:
    """Whether a release such as ``7.1.0-rc2`` is of this version or of a later one; a name without numbers is not."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return found is not None and (int(found[1]), int(found[2])) >= version
