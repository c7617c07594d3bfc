"""A micro-VM as the host: measured on by the real adapter, in a Python in there, and as it was afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedops.adapters.vm.cpio import archive
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.ports import KernelImage
from tests.adapters.host.machine import MODULES, UNDONE, inside
from tests.adapters.host.python_tree import python_archive
from tests.conftest import FifoPolicies
from tests.fakes.shell import shell_archive

pytestmark = pytest.mark.vm
FEW_RIGHTS = "00000000008004fb"  # files, users, signals, low ports, priorities
HELD = ["0" * 16, FEW_RIGHTS, FEW_RIGHTS, "0" * 16]  # inheritable, effective, bounding, ambient


@pytest.fixture
def outer(newest_kernel: KernelImage, fifo: FifoPolicies, tmp_path: Path) -> Iterator[GuestSession]:
    shell = shell_archive(tmp_path / "shell")
    files = {
        "policy.bpf.o": fifo(),
        "inside.py": (Path(__file__).parent / "inside.py").read_bytes(),
        # Two archives, with zeros between them as the kernel allows it.
        "programs.cpio": shell.read_bytes() + bytes(512) + archive(("job",), {"job/more": b"and more\n"}),
    }
    with Qemu().boot(newest_kernel, cpus=2, programs=python_archive(tmp_path, MODULES, files)) as guest:
        yield guest


def test_a_host_is_measured_on_and_as_it_was_also_when_that_is_killed(outer: GuestSession) -> None:
    code, found = inside(outer, "measure")
    assert code == 0, found
    assert UNDONE.items() <= found.items()  # the policy was still attached when it ended
    assert found["rung"] == "virtual-host"
    assert (found["quiet"], "timers move to CPUs that are busy: changed for this run" in found["told"]) == ("0", True)
    assert found["outcomes"] == ["attached", "attached"]
    assert found["during"] == ["enabled", "test_fifo", True]
    assert found["detached"] == [True, "disabled", 0]
    assert found["exit_codes"] == [0, 0, 0, 0]
    assert found["machine_cpu_us"] >= found["cpu_us"] * 0.9 > 0
    verdict, clean, (heavy, light) = found["played"]
    assert (verdict, clean) == ("done", True)
    assert heavy > light > 0  # the cgroups of the plan have their weights; how much, a busy host does not show
    assert "test_fifo" in found["log"]
    *said, boot, no_setting, no_irq = found["said"].splitlines()
    rights = [line.split()[1] for line in said[2:]]  # and nothing of the kernel's log
    assert (said[:2], rights, found["programs_clean"]) == (["prepared", "and more"], HELD, True)
    assert re.fullmatch(r"/boot/(config-\S+|\*)", boot)
    assert "Read-only file system" in no_setting
    assert "Read-only file system" in no_irq
    # Its whole cgroup is killed with it, as the end of a session or a job does it.
    code, said = inside(outer, "die", "150")
    assert code == 128 + 9, said
    assert inside(outer, "look") == (0, UNDONE)
