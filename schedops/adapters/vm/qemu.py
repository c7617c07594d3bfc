"""Micro-VMs: the Machines port on QEMU."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import staging
from schedops.adapters.toolbox.tools import require_tool
from schedops.adapters.vm import accelerator as accelerators
from schedops.adapters.vm.guest_image import guest_image, with_config, with_programs
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.machine import Machine, running
from schedops.adapters.vm.qemu_command import MEMORY_MIB, MachineSpec
from schedops.adapters.vm.template import discard_template, ensure_template, restored
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from schedops.ports import KernelImage

_KVM_DEADLINE_S = 10.0
_PROGRAMS_MIB = 256


def _no_image() -> KernelImage | None:
    return None


class Qemu:
    """Makes guests from frozen templates.

    :param probe_image: a kernel to prove KVM with when only the accelerator is asked for.
    :param initramfs: the guest's user space; ours unless a test brings its own.
    :param counted: guests whose clock counts instructions, for measurements that the host must not disturb.
    """

    def __init__(
        self,
        *,
        probe_image: Callable[[], KernelImage | None] = _no_image,
        initramfs: Callable[[], Path] = guest_image,
        counted: bool = False,
    ) -> None:
        self._counted = counted
        self._probe_image = probe_image
        self._initramfs = initramfs

    def accelerator(self) -> Accelerator:
        """See :class:`schedops.ports.Machines`.

        :raises Unavailable: no QEMU.
        """
        return self._choose(self._probe_image())

    @contextmanager
    def boot(
        self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None
    ) -> Iterator[GuestSession]:
        """See :class:`schedops.ports.Machines`."""
        spec = self._spec(image, cpus, self._choose(image).name, sockets)
        if programs is not None:
            spec = _with_programs(spec, programs)
        with ExitStack() as stack:
            machine = self._start(stack, spec, image)
            session = GuestSession(machine, where=f"{image.kernel.name}, {cpus} CPUs, {spec.accelerator}")
            # Clones share the clock of their template: this is the one place where the host's time is handed over.
            session.hello(now_ns=time.time_ns(), cpus=cpus)
            yield session

    def _start(self, stack: ExitStack, spec: MachineSpec, image: KernelImage) -> Machine:
        template = ensure_template(spec, image.kernel.vmlinux_sha256)
        try:
            return stack.enter_context(restored(spec, template))
        except Unavailable as error:
            if error.code != "restore-failed":
                raise
        # A damaged template (a disk that was full, a cache that was copied) is made again, once.
        discard_template(template)
        return stack.enter_context(restored(spec, ensure_template(spec, image.kernel.vmlinux_sha256)))

    def _spec(self, image: KernelImage, cpus: int, accelerator: str, sockets: int = 1) -> MachineSpec:
        return MachineSpec(
            qemu=require_tool("qemu-system-x86_64"),
            accelerator=accelerator,
            cpus=cpus,
            sockets=sockets,
            kernel=image.directory / "vmlinux",
            initramfs=with_config(self._initramfs(), image),
        )

    def _choose(self, image: KernelImage | None) -> Accelerator:
        if self._counted:
            qemu = require_tool("qemu-system-x86_64")
            return Accelerator(name="tcg-counted", qemu_version=qemu.version, reason="asked for")
        prove = functools.partial(self._kvm_refusal, image) if image is not None else None
        return accelerators.choose(require_tool("qemu-system-x86_64"), prove)

    def _kvm_refusal(self, image: KernelImage) -> str:
        try:
            self.boot_once(image, accelerator="kvm", deadline_s=_KVM_DEADLINE_S)
        except Unavailable as error:
            return f"no KVM: {error.message}"
        return ""

    def boot_once(self, image: KernelImage, *, accelerator: str, deadline_s: float, cpus: int = 2) -> float:
        """Boot cold until the agent speaks, then end it; seconds it took. Leaves nothing behind.

        :param accelerator: kvm | tcg-multi | tcg-single.
        :raises Unavailable: it did not come up within *deadline_s*.
        """
        spec = self._spec(image, cpus, accelerator)
        started = time.monotonic()
        with staging(cache_dir() / "scratch") as directory:
            ram = directory / "ram"
            ram.touch()
            os.truncate(ram, spec.memory_mib << 20)
            with running(spec, ram=ram, restored=False) as machine:
                machine.wait_ready(deadline_s)
        return time.monotonic() - started


def _with_programs(spec: MachineSpec, programs: Path) -> MachineSpec:
    # While it boots the guest holds the archive and what is unpacked from it, which may take half of what is then left
    # of its memory (init/do_mounts.c: the first root is a tmpfs); and programs want to work as well.
    size_mib = programs.stat().st_size >> 20
    more_mib = max(2 * size_mib + _PROGRAMS_MIB, 4 * size_mib)
    return replace(spec, initramfs=with_programs(spec.initramfs, programs), memory_mib=MEMORY_MIB + more_mib)
