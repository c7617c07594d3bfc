"""The one command line that starts QEMU. No network, no disk, no display, no configuration of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.toolbox.tools import FoundTool

MEMORY_MIB = 384
KERNEL_COMMAND_LINE = (
    "console=ttyS0 quiet panic=-1 oops=panic nokaslr mitigations=off cryptomgr.notests "
    "random.trust_bootloader=off tsc=nowatchdog"
)
_ACCELERATORS = {
    "kvm": "kvm",
    "tcg-multi": "tcg,thread=multi,tb-size=128",
    "tcg-single": "tcg,thread=single,tb-size=128",
    "tcg-counted": "tcg,thread=single,tb-size=128",
}
# Of tcg-counted: CPUs that never come up. Two CPUs alone share the emulator's time 3 to 2, with these two besides both
# work equally fast (within 1 %; measured with QEMU 10.0.2).
_SPARE_CPUS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """A machine that can be started again with the same result.

    :param accelerator: kvm | tcg-multi | tcg-single | tcg-counted: the clock counts the instructions of all CPUs, which
        take turns, and so nothing that the host does besides can be seen. A CPU is twice as fast while others idle.
    :param kernel: a decompressed vmlinux, started through PVH.
    """

    qemu: FoundTool
    accelerator: str
    cpus: int
    kernel: Path
    initramfs: Path
    memory_mib: int = MEMORY_MIB
    sockets: int = 1

    @property
    def opens_ram_read_only(self) -> bool:
        """From QEMU 8.2 on a private mapping of a read-only file is possible (``rom=off``)."""
        return self.qemu.numbers >= (8, 2)


@dataclass(frozen=True, slots=True)
class ChannelHandles:
    """File descriptors that QEMU inherits; nothing has a name in the file system that could be left behind."""

    qmp: int
    port: int
    console: int


def qemu_command(spec: MachineSpec, *, ram: Path, restored: bool, handles: ChannelHandles) -> list[str]:
    """:param ram: the file that is the guest's memory; written to while a template is made, else only read."""
    counted = spec.accelerator == "tcg-counted"
    spare, command_line = (_SPARE_CPUS, f" maxcpus={spec.cpus} nohz=off") if counted else (0, "")
    return [
        *spec.qemu.argv,
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-accel", _ACCELERATORS[spec.accelerator], "-cpu", "max,la57=off,-rdrand,-rdseed"),
        *("-m", f"{spec.memory_mib}M", "-smp", f"{spec.cpus + spare},sockets={spec.sockets}"),
        *("-machine", "pc,memory-backend=ram0", "-object", _memory(spec, ram, restored=restored)),
        *("-chardev", f"socket,id=qmp,fd={handles.qmp}", "-mon", "chardev=qmp,mode=control"),
        *("-chardev", f"socket,id=console,fd={handles.console}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=port,fd={handles.port}", "-device", "virtio-serial-pci"),
        *("-device", "virtserialport,chardev=port,name=schedops"),
        *(("-icount", "shift=0,sleep=off") if counted else ()),
        *("-kernel", str(spec.kernel), "-initrd", str(spec.initramfs), "-append", KERNEL_COMMAND_LINE + command_line),
        *(("-incoming", "defer") if restored else ()),
    ]


def _memory(spec: MachineSpec, ram: Path, *, restored: bool) -> str:
    path = str(ram).replace(",", ",,")  # QEMU's way to write a comma
    base = f"memory-backend-file,id=ram0,size={spec.memory_mib}M,mem-path={path}"
    if not restored:
        return f"{base},share=on"
    return f"{base},share=off" + (",readonly=on,rom=off" if spec.opens_ram_read_only else "")
