"""Frozen guests: booted once, stopped, kept as a RAM file and a device state, and started from there copy-on-write.

A template never changes once it has its name, so any number of clones may have it mapped. Everything that could make
two guests differ is in its key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import publish, staging
from schedops.adapters.vm.machine import Machine, running
from schedops.adapters.vm.qemu_command import ChannelHandles, MachineSpec, qemu_command
from schedops.adapters.vm.qmp import Qmp, QmpError
from schedops.errors import Unavailable

BOOT_DEADLINE_S = 120.0
_COPY_DEADLINE_S = 60.0
_KEEP_UNUSED_S = 14 * 86400
_NEEDED_BYTES = 256 << 20  # a template takes about 100 MB of a sparse file
# RAM is in the file already, only the devices' state travels.
_CAPABILITIES = [{"capability": "x-ignore-shared", "state": True}]


@dataclass(frozen=True, slots=True)
class Template:
    """:param ram: memory, sparse; *state*: devices. Both read-only."""

    ram: Path
    state: Path


def template_key(spec: MachineSpec, kernel_sha256: str) -> str:
    """Digest of everything that shapes the machine: kernel, initramfs, QEMU, its options."""
    shape = qemu_command(spec, ram=Path("ram"), restored=False, handles=ChannelHandles(0, 0, 0))
    initramfs = hashlib.sha256(spec.initramfs.read_bytes()).hexdigest()
    parts = [kernel_sha256, initramfs, spec.qemu.version, shape[len(spec.qemu.argv) : shape.index("-kernel")]]
    return hashlib.sha256(json.dumps([*parts, shape[-1]]).encode()).hexdigest()[:32]


def ensure_template(spec: MachineSpec, kernel_sha256: str) -> Template:
    """The template of this machine; made now when there is none.

    :raises Unavailable: the guest does not come up, or the cache cannot hold it.
    """
    directory = _home() / template_key(spec, kernel_sha256)
    if not (directory / "state").exists():
        try:
            _make(spec, directory)
        except OSError as error:
            raise _cannot_write(directory, error.strerror or str(error)) from None
    with contextlib.suppress(OSError):  # a cache that can only be read is good enough to start from
        os.utime(directory)
    return Template(directory / "ram", directory / "state")


def discard_template(template: Template) -> None:
    """Forget one that does not start; clones that run from it are not disturbed."""
    shutil.rmtree(template.ram.parent, ignore_errors=True)


@contextmanager
def restored(spec: MachineSpec, template: Template) -> Iterator[Machine]:
    """A clone of the template, running.

    :raises Unavailable: ``restore-failed`` when QEMU does not take the state.
    """
    with running(spec, ram=template.ram, restored=True) as machine:
        try:
            machine.qmp.execute("migrate-set-capabilities", capabilities=_CAPABILITIES)
            machine.qmp.execute("migrate-incoming", uri=_uri(spec, template.state, "cat"))
            _wait_while(machine.qmp, ("inmigrate",))
            machine.qmp.execute("cont")
        except QmpError as error:
            raise machine.unavailable("restore-failed", f"the frozen guest did not start: {error}") from None
        yield machine


def _home() -> Path:
    return cache_dir() / "templates"


def _make(spec: MachineSpec, directory: Path) -> None:
    with staging(directory.parent) as new:
        _forget_unused(directory.parent)
        if shutil.disk_usage(new).free < _NEEDED_BYTES:
            raise _cannot_write(directory, "No space left on device")
        _freeze(spec, new)
        for name in ("ram", "state"):
            (new / name).chmod(0o444 if spec.opens_ram_read_only else 0o644)
        publish(new, directory)


def _forget_unused(home: Path) -> None:
    """Templates of kernels, tools or guests that are no longer in use, 100 MB each."""
    oldest = time.time_ns() / 1e9 - _KEEP_UNUSED_S
    for template in home.glob("*/ram"):
        with contextlib.suppress(OSError):
            if template.parent.stat().st_mtime < oldest:
                shutil.rmtree(template.parent)


def _freeze(spec: MachineSpec, new: Path) -> None:
    with (new / "ram").open("wb") as ram:
        ram.truncate(spec.memory_mib << 20)
    with running(spec, ram=new / "ram", restored=False) as machine:
        machine.wait_ready(BOOT_DEADLINE_S)
        # Closing the port before the guest is frozen would be an end of file for the agent's read.
        try:
            machine.qmp.execute("stop")
            machine.qmp.execute("migrate-set-capabilities", capabilities=_CAPABILITIES)
            machine.qmp.execute("migrate", uri=_uri(spec, new / "state", "cat >"))
            _wait_migrated(machine.qmp)
            machine.qmp.execute("quit")
        except QmpError as error:
            raise machine.unavailable("freeze-failed", f"the guest could not be frozen: {error}") from None
        machine.process.wait(timeout=20)  # until QEMU has let go of the RAM file


def _wait_while(qmp: Qmp, states: tuple[str, ...]) -> None:
    until = time.monotonic() + _COPY_DEADLINE_S
    while qmp.status() in states:
        if time.monotonic() > until:
            raise QmpError("no end within the deadline")
        time.sleep(0.003)


def _wait_migrated(qmp: Qmp) -> None:
    until = time.monotonic() + _COPY_DEADLINE_S
    while (status := qmp.execute("query-migrate").get("status")) != "completed":
        if status in ("failed", "cancelled") or time.monotonic() > until:
            raise QmpError(f"saving the state: {status}")
        time.sleep(0.01)


def _uri(spec: MachineSpec, state: Path, old_way: str) -> str:
    """``file:`` exists from QEMU 8.2 on."""
    return f"file:{state}" if spec.qemu.numbers >= (8, 2) else f"exec:{old_way} {shlex.quote(str(state))}"


def _cannot_write(directory: Path, why: str) -> Unavailable:
    return Unavailable(
        "cache-not-writable",
        f"the frozen guest could not be written: {why}",
        where=str(directory),
        hint="make room, or point SCHEDOPS_CACHE somewhere writable",
    )
