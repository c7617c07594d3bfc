"""What this machine lacks, and which way it can come: the system's packages, or a private unpacking."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schedops import proc
from schedops.adapters.toolbox.tools import find_tool, libbpf_prefix
from schedops.adapters.toolbox.wanted import LIBBPF, WANTED, Wanted
from schedops.errors import Unavailable

_ARCHIVE_DIRS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
# Static libraries of the guest's programs. libelf of newer distributions wants zstd.
LIBRARIES = (
    ("libc.a", "libc6-dev"),
    ("libelf.a", "libelf-dev"),
    ("libz.a", "zlib1g-dev"),
    ("libzstd.a", "libzstd-dev"),
)


@dataclass(frozen=True, slots=True)
class Needs:
    """:param packages: system packages to install. :param bundles: tools with a private unpacking as a way out."""

    packages: tuple[str, ...]
    bundles: tuple[Wanted, ...]

    @property
    def nothing(self) -> bool:
        """Nothing is missing."""
        return not self.packages and not self.bundles


def needs() -> Needs:
    """Look at this machine.

    :raises Unavailable: it is no x86-64 machine.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        raise Unavailable("not-x86-64", f"this version runs on x86-64 only, and this machine is {platform.machine()}")
    lacking = [tool for tool in (*WANTED.values(), LIBBPF) if not has(tool)]
    libraries = missing_libraries()
    if not is_root() and not libraries and all(tool.optional for tool in lacking):
        lacking = []  # only root could install them, and nothing stops without them
    packages = [tool.package for tool in lacking if not tool.bundle] + libraries
    return Needs(tuple(packages), tuple(tool for tool in lacking if tool.bundle))


def has(tool: Wanted) -> bool:
    """It is here, and runs, in a version from which everything works."""
    if tool == LIBBPF:
        return _has_libbpf()
    found = find_tool(tool.name)
    return found is not None and found.numbers >= tool.good


def missing_libraries() -> list[str]:
    """Packages of the static libraries that are not here."""
    return [package for archive, package in LIBRARIES if not _has_archive(archive)]


def candidates(packages: Iterable[str]) -> dict[str, str]:
    """The version the system's apt would install, for those it knows."""
    done = proc.run(["apt-cache", "policy", *packages], deadline_s=60)
    found: dict[str, str] = {}
    name = ""
    for line in proc.printable(done.stdout).splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            found[name] = line.split()[-1]
    return found


def is_root() -> bool:
    """May install packages."""
    return os.geteuid() == 0


def _has_libbpf() -> bool:
    try:
        libbpf_prefix()
    except Unavailable:
        return False
    return True


def _has_archive(archive: str) -> bool:
    return any((Path(directory) / archive).is_file() for directory in _ARCHIVE_DIRS)
