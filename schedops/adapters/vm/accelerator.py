"""What runs the guests: KVM when a real boot has proved it, else TCG, multi-threaded where that is safe."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.toolbox.tools import FoundTool
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator

_KVM = Path("/dev/kvm")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SAFE_MULTI = (10, 0)


def choose(qemu: FoundTool, prove_kvm: Callable[[], str] | None) -> Accelerator:
    """:param prove_kvm: boots a guest under KVM; empty when it came up, else why not. None: nothing to boot with."""
    refusal = _kvm_refusal(qemu, prove_kvm)
    if not refusal:
        return Accelerator(name="kvm", qemu_version=qemu.version, reason="a guest came up under KVM")
    name, threads = tcg(qemu)
    return Accelerator(name=name, qemu_version=qemu.version, reason=f"{refusal}; {threads}")


def tcg(qemu: FoundTool) -> tuple[str, str]:
    """The emulator's mode, and why."""
    if qemu.numbers >= _SAFE_MULTI:
        return "tcg-multi", "TCG with one thread per CPU"
    return (
        "tcg-single",
        f"single-threaded TCG: with one thread per CPU QEMU {qemu.version} (< 10) kills guests that change schedulers",
    )


def _kvm_refusal(qemu: FoundTool, prove_kvm: Callable[[], str] | None) -> str:
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return "no KVM: /dev/kvm is missing" if not _KVM.exists() else "no KVM: /dev/kvm may not be opened"
    proof = cache_dir() / "kvm" / f"{_key(qemu)}.json"
    remembered = _recall(proof)
    if remembered is not None:
        return remembered
    if prove_kvm is None:
        return "KVM not proved yet: no kernel to boot"
    refusal = prove_kvm()
    _remember(proof, refusal)
    return refusal


def _key(qemu: FoundTool) -> str:
    """KVM may work after a reboot of the host, or with another QEMU."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii")
    except OSError:
        boot = ""
    return hashlib.sha256(f"{boot}|{platform.release()}|{qemu.path}|{qemu.version}".encode()).hexdigest()[:32]


def _recall(proof: Path) -> str | None:
    try:
        refusal = json.loads(proof.read_bytes())["refusal"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return refusal if isinstance(refusal, str) else None


def _remember(proof: Path, refusal: str) -> None:
    try:
        write_whole(proof, json.dumps({"refusal": refusal}).encode())
    except OSError as error:
        raise Unavailable(
            "cache-not-writable", f"the cache could not be written: {error.strerror}", where=str(proof)
        ) from None
