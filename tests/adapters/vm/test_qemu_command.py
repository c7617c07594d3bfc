from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.toolbox.tools import FoundTool
from schedops.adapters.vm.qemu_command import ChannelHandles, MachineSpec, qemu_command

QEMU = FoundTool(name="qemu", path=Path("/q"), version="10.0.2", origin="system", argv=("/q",))


def command(accelerator: str) -> list[str]:
    spec = MachineSpec(qemu=QEMU, accelerator=accelerator, cpus=2, kernel=Path("/k"), initramfs=Path("/i"))
    return qemu_command(spec, ram=Path("/r"), restored=False, handles=ChannelHandles(3, 4, 5))


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_a_counted_clock_has_cpus_to_spare_that_the_guest_leaves_alone() -> None:
    words = command("tcg-counted")
    assert after(words, "-icount") == "shift=0,sleep=off"
    assert after(words, "-smp") == "4,sockets=1"
    assert "maxcpus=2" in after(words, "-append").split()


@pytest.mark.parametrize("accelerator", ["kvm", "tcg-multi", "tcg-single"])
def test_other_guests_have_the_cpus_that_were_asked_for(accelerator: str) -> None:
    words = command(accelerator)
    assert "-icount" not in words
    assert after(words, "-smp") == "2,sockets=1"
    assert "maxcpus" not in after(words, "-append")
