"""What works on this machine: one finding per thing that schedops uses."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.host.fitness import require_fit
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.toolbox.needs import missing_libraries
from schedops.adapters.toolbox.tools import find_tool, libbpf_prefix, libbpf_version, system_version
from schedops.adapters.toolbox.wanted import LIBBPF, WANTED, Wanted
from schedops.adapters.vm.guest_image import guest_image
from schedops.errors import Unavailable
from schedops.ports import Machines

_FREE_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """:param status: ok | less (works, with less) | missing | optional (missing, and nothing needs it).

    :param found: version or figure. :param where: path, or how it was found out.
    :param without: what works without it, or what is less. :param mend: the command that mends it.
    """

    name: str
    status: str
    found: str = ""
    where: str = ""
    needed: str = ""
    without: str = ""
    mend: str = ""


_WITHOUT_KERNEL = "policies are verified on the other kernels only, and the report says so"


def examine(fleet: Sequence[str], machines: Machines) -> Iterator[Finding]:
    """Look at everything; the guest's program is built and KVM tried by a boot, once each.

    :param fleet: releases that the fleet file names.
    """
    yield _python()
    for tool in WANTED.values():
        yield _tool(tool)
    yield _libbpf()
    yield _libraries()
    yield _guest_program()
    yield from (_kernel(name) for name in fleet)
    yield _accelerator(machines)
    yield _host()
    yield _cache()


def can_run_demo(findings: Sequence[Finding], fleet: Sequence[str]) -> bool:
    """Everything that `schedops propose` needs is here; of the fleet's kernels one is enough."""
    kernels = [finding for finding in findings if finding.name in {_kernel_name(name) for name in fleet}]
    others = [finding for finding in findings if finding not in kernels]
    return any(kernel.status == "ok" for kernel in kernels) and all(other.status != "missing" for other in others)


def _python() -> Finding:
    version = ".".join(str(number) for number in sys.version_info[:3])
    return Finding(name="python", status="ok", found=version, where=sys.executable, needed=">= 3.11")


def _tool(tool: Wanted) -> Finding:
    text = f">= {'.'.join(str(number) for number in tool.good)}"
    found = find_tool(tool.name)
    if found is None:
        old = system_version(tool.name)
        return Finding(
            name=tool.name,
            status="optional" if tool.optional else "missing",
            found=f"{old}, too old" if old else "",
            needed=text,
            without=tool.works_without,
            mend="schedops setup",
        )
    less = found.numbers < tool.good
    return Finding(
        name=tool.name,
        status="less" if less else "ok",
        found=found.version,
        where=f"{found.path} ({found.origin})",
        needed=text,
        without=tool.why if less else tool.works_without,
        mend="schedops setup",
    )


def _libbpf() -> Finding:
    try:
        prefix = libbpf_prefix()
    except Unavailable:
        return Finding(
            name="libbpf",
            status="missing",
            needed=">= 1.4 (headers, libbpf.a)",
            without=LIBBPF.works_without,
            mend="schedops setup",
        )
    private = "private" if prefix.is_relative_to(cache_dir()) else "system"
    version = libbpf_version(prefix) or ""
    return Finding(
        name="libbpf",
        status="ok",
        found=version,
        where=f"{prefix} ({private})",
        needed=">= 1.4",
        without=LIBBPF.works_without,
        mend="schedops setup",
    )


def _libraries() -> Finding:
    missing = missing_libraries()
    return Finding(
        name="static libraries",
        status="missing" if missing else "ok",
        found=f"not here: {', '.join(missing)}" if missing else "",
        needed="libc, libelf, libz, libzstd",
        without=f"{LIBBPF.works_without}: the program that runs in the guest cannot be linked",
        mend="schedops setup",
    )


def _guest_program() -> Finding:
    name = "guest program"
    try:
        image = guest_image()
    except Unavailable as error:
        why = error.detail or error.message
        return Finding(name=name, status="missing", without=f"no guest can be made: {why}", mend="schedops setup")
    return Finding(name=name, status="ok", found="built", where=str(image))


def _kernel_name(wanted: str) -> str:
    return f"kernel {wanted[:12]}"


def _kernel(wanted: str) -> Finding:
    image = KernelStore().find(wanted)
    if image is None:
        return Finding(
            name=_kernel_name(wanted),
            status="missing",
            needed="named by the fleet file",
            without=_WITHOUT_KERNEL,
            mend=f"schedops kernel fetch {wanted}",
        )
    found = f"{image.kernel.release}, btf {image.kernel.btf_sha256[:8]}"
    return Finding(
        name=_kernel_name(wanted),
        status="ok",
        found=found,
        where=str(image.directory),
        without=_WITHOUT_KERNEL,
        mend=f"schedops kernel fetch {wanted}",
    )


def _accelerator(machines: Machines) -> Finding:
    try:
        found = machines.accelerator()
    except Unavailable as error:
        return Finding(name="accelerator", status="missing", without=error.message, mend="schedops setup")
    less = {"kvm": "", "tcg-multi": "everything works, slower than under KVM"}
    return Finding(
        name="accelerator",
        status="ok" if found.name == "kvm" else "less",
        found=found.name,
        where=found.reason,
        needed="KVM, proved by a boot",
        without=less.get(
            found.name, "everything works, slower than under KVM, and a guest has one CPU of the host at most"
        ),
        mend="" if found.name != "tcg-single" else "schedops setup",
    )


def _host() -> Finding:
    name, needed = "this host", "--on host: root, sched_ext, cgroup v2, no other policy"
    try:
        fit = require_fit()
    except Unavailable as error:
        return Finding(name=name, status="optional", needed=needed, without=f"`--on host` is refused: {error.message}")
    return Finding(name=name, status="ok", found=f"btf {fit.btf_sha256[:8]}", where=os.uname().release, needed=needed)


def _cache() -> Finding:
    directory = cache_dir()
    place = _nearest(directory)
    free_bytes = shutil.disk_usage(place).free
    problem = "" if os.access(place, os.W_OK | os.X_OK) else "not writable"
    problem = problem or ("" if free_bytes >= _FREE_BYTES else "too little room")
    return Finding(
        name="cache directory",
        status="missing" if problem else "ok",
        found=problem or f"{free_bytes / 1e9:.1f} GB free",
        where=str(directory),
        needed="writable, 2 GB free",
        without="kernels, private tools and frozen guests are kept there" if problem else "",
        mend="make room, or set SCHEDOPS_CACHE to a directory with room" if problem else "",
    )


def _nearest(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
