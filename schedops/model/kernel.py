"""A kernel, known by its BTF rather than by its name: one release was seen with two different BTFs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """:param name: short name in the kernel store, by default the release."""

    name: str
    release: str  # uname -r
    btf_sha256: str
    vmlinux_sha256: str
    source: str  # debian | added
