"""Which tools are wanted, from which version, and what works without each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_READ_ONLY = "library, workload, validate, kernel and pr work; profile, verify, bench and propose do not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a tool.

    :param package: Debian package; *bundle*: name of its private unpacking, empty when there is none.
    :param optional: no stage needs it; the demo runs without.
    :param good: version from which everything works; *usable*: from which it works with less (see *why*).
    """

    name: str
    package: str
    good: tuple[int, ...]
    usable: tuple[int, ...]
    works_without: str
    version_word: str = "--version"
    version_pattern: str = r"version v?(\d+(?:\.\d+)+)"
    bundle: str = ""
    why: str = ""
    static: bool = False
    optional: bool = False


WANTED: Mapping[str, Wanted] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Wanted(
                name="qemu-system-x86_64",
                package="qemu-system-x86",
                good=(10, 0),
                usable=(7, 0),
                works_without=_READ_ONLY,
                bundle="qemu",
                why="QEMU < 10 kills guests under multi-threaded TCG (Oops: int3), so it runs single-threaded: "
                "about half as fast",
            ),
            Wanted(
                name="clang-19",
                package="clang-19",
                good=(19,),
                usable=(19,),
                works_without=_READ_ONLY,
            ),
            Wanted(
                name="ld.lld-19",
                package="lld-19",
                good=(19,),
                usable=(19,),
                works_without="everything works; it links policies to WebAssembly",
                optional=True,
                version_pattern=r"LLD (\d+(?:\.\d+)+)",
            ),
            Wanted(
                name="bpftool",
                package="bpftool",
                good=(7, 5),
                usable=(7, 5),
                works_without=_READ_ONLY,
                version_word="version",
                version_pattern=r"bpftool v?(\d+(?:\.\d+)+)",
                bundle="bpftool",
            ),
            Wanted(
                name="busybox",
                package="busybox-static",
                good=(1, 30),
                usable=(1, 30),
                works_without="everything works; no stage uses it",
                optional=True,
                version_word="",
                version_pattern=r"BusyBox v(\d+(?:\.\d+)+)",
                static=True,
            ),
            Wanted(
                name="git",
                package="git",
                good=(2, 30),
                usable=(2, 30),
                works_without="library, workload, validate, profile, verify and bench work; propose and pr do not",
            ),
            Wanted(
                name="bwrap",
                package="bubblewrap",
                good=(0, 4),
                usable=(0, 4),
                works_without="everything works; policies are compiled in namespaces of our own, or with limits only "
                "where the machine allows no namespaces",
                optional=True,
                version_pattern=r"bubblewrap (\d+(?:\.\d+)+)",
            ),
        )
    }
)
LIBBPF = Wanted(
    name="libbpf",
    package="libbpf-dev",
    good=(1, 4),
    usable=(1, 4),
    works_without=_READ_ONLY,
    bundle="libbpf",
)
