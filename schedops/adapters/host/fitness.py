"""Whether policies can be measured on the machine at hand. Each refusal says what is wrong and what mends it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.kernel.kernel_file import why_unfit
from schedops.errors import Unavailable

ELSEWHERE = "--on vm needs nothing of this"
_SYS_ADMIN = 21  # include/uapi/linux/capability.h
_SYS_NICE = 23
_STATE = "kernel/sched_ext/state"
_BTF = "kernel/btf/vmlinux"
_MAX_BTF_BYTES = 64 << 20
_MAX_MOUNT_BYTES = 90  # guest/host_cgroup.c has 128 for it and what is below


@dataclass(frozen=True, slots=True)
class Fit:
    """:param cgroups: where cgroup v2 is mounted. *btf*: the kernel's own."""

    cgroups: Path
    btf: bytes

    @property
    def btf_sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.btf).hexdigest()


def require_fit(*, sysfs: Path = Path("/sys"), proc: Path = Path("/proc")) -> Fit:
    """Look at everything that a policy needs, before anything is touched.

    :raises Unavailable: ``not-root``, ``no-sched-ext``, ``other-policy``, ``no-btf``, ``kernel-unfit``,
        ``bpf-locked-down``, ``no-bpf-jit`` or ``no-cpu-cgroups``.
    """
    _require_rights(proc)
    if not (sysfs / _STATE).exists():
        text = "this machine's kernel was built without sched_ext (there is no /sys/kernel/sched_ext)"
        raise Unavailable(
            "no-sched-ext", text, hint=f"{ELSEWHERE}; on a host: Linux 6.12 or later with SCHED_CLASS_EXT"
        )
    require_default(sysfs)
    btf = _btf(sysfs)
    _require_bpf(sysfs, proc)
    return Fit(cgroups=_cgroups(proc), btf=btf)


def require_default(sysfs: Path = Path("/sys")) -> None:
    """:raises Unavailable: ``other-policy``: somebody's policy is in charge, and stays so."""
    state = text_of(sysfs / _STATE)
    if state == "disabled":
        return
    ops = text_of(sysfs / "kernel/sched_ext/root/ops") or "without a name"
    raise Unavailable(
        "other-policy",
        f"another policy schedules this machine: {ops[:128]} ({state[:32]})",
        hint="end it first (systemctl stop scx.service, or the program that loaded it); it is not put out from here",
    )


def online_cpus(sysfs: Path = Path("/sys")) -> int:
    """How many CPUs the scheduler has."""
    from schedops.adapters.host_machine import cpu_list  # noqa: PLC0415 - only hosts need it

    return len(cpu_list(text_of(sysfs / "devices/system/cpu/online"))) or 1


def _require_rights(proc: Path) -> None:
    status = dict(line.split(":", 1) for line in text_of(proc / "self/status").splitlines() if ":" in line)
    rights = int(status.get("CapEff", "0"), 16)
    # Real, effective, saved, of files. Capabilities without root do not open cgroups, settings and /run.
    is_root = status.get("Uid", "").split()[1:2] == ["0"]
    if not (is_root and rights >> _SYS_ADMIN & 1 and rights >> _SYS_NICE & 1):
        text = "putting a policy in charge of this machine needs root, with CAP_SYS_ADMIN and CAP_SYS_NICE at least"
        raise Unavailable("not-root", text, hint=f"sudo schedops ...; {ELSEWHERE}")


def _btf(sysfs: Path) -> bytes:
    path = sysfs / _BTF
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BTF_BYTES)
    except OSError as error:
        text = f"this kernel does not say what its types are: {error.strerror}"
        raise Unavailable("no-btf", text, where=str(path), hint="a kernel with CONFIG_DEBUG_INFO_BTF") from None
    if reason := why_unfit(data, None, where=str(path)):
        raise Unavailable("kernel-unfit", f"this machine's kernel: {reason}", hint=ELSEWHERE)
    return data


def _require_bpf(sysfs: Path, proc: Path) -> None:
    if "[confidentiality]" in text_of(sysfs / "kernel/security/lockdown"):
        text = "the kernel is locked down (confidentiality), and takes no BPF programs that read its memory"
        raise Unavailable("bpf-locked-down", text, hint=ELSEWHERE)
    if text_of(proc / "sys/net/core/bpf_jit_enable") == "0":
        text = "the kernel's BPF compiler is off, and without it no policy can be attached"
        raise Unavailable("no-bpf-jit", text, hint="sysctl net.core.bpf_jit_enable=1")


def _cgroups(proc: Path) -> Path:
    # Fields of fstab(5): what, where, type.
    mounts = (line.split(" ") for line in text_of(proc / "self/mounts").splitlines())
    all_found = [Path(_unescaped(words[1])) for words in mounts if len(words) > 2 and words[2] == "cgroup2"]
    found = [path for path in all_found if len(os.fsencode(path)) <= _MAX_MOUNT_BYTES]
    if found and "cpu" in text_of(found[0] / "cgroup.controllers").split():
        return found[0]
    why = "" if found else f": its path is over {_MAX_MOUNT_BYTES} bytes" if all_found else ": it is not mounted"
    text = f"no cgroup v2 with the cpu controller{why}"
    raise Unavailable("no-cpu-cgroups", text, hint="boot with systemd.unified_cgroup_hierarchy=1")


def _unescaped(field: str) -> str:
    # Blanks, line ends and backslashes are octal in there: mangle() of the kernel's fs/seq_file.c.
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field)


def text_of(path: Path) -> str:
    """A small file of the kernel's; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(1 << 20).decode("utf-8", "replace").strip()
    except OSError:
        return ""
