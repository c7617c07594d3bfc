"""Attach and detach a policy again and again while the guest is busy; count the guests that die of it.

    python benchmarks/attach_cycles.py [CYCLES] [POLICY]

Prints cycles, lost guests and seconds. The bar: 300 cycles under load on the newest kernel, no lost guest.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import GuestLost
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.repository.library import find_policy

BUSY_TASKS = 6  # on two CPUs
DEADLINE_S = 30.0


def main(cycles: int = 300, policy: str = "fifo") -> int:
    image = KernelStore().list()[-1]
    elf = build(policy, image)
    started, done, lost = time.monotonic(), 0, 0
    while done < cycles:
        finished, error = until_lost(image, elf, cycles - done)
        done += finished
        if error is not None:
            lost += 1
            done += 1
            print(f"cycle {done}: {error.message}\n{error.detail}", file=sys.stderr)
    seconds = time.monotonic() - started
    print(f"{image.kernel.name}, {policy}: {cycles} cycles, {lost} lost guests, {seconds:.0f} s")
    return 1 if lost else 0


def until_lost(image: KernelImage, elf: bytes, cycles: int) -> tuple[int, GuestLost | None]:
    """Cycles that one guest lived through, and how it was lost if it was."""
    done = 0
    try:
        with Qemu().boot(image, cpus=2) as guest:
            guest.keep_busy(BUSY_TASKS)
            for done in range(cycles):
                attached = guest.attach(elf, deadline_s=DEADLINE_S)
                assert attached.outcome == "attached", attached
                assert guest.detach(deadline_s=DEADLINE_S).was_attached, f"cycle {done}"
    except GuestLost as error:
        return done, error
    return cycles, None


def build(policy: str, image: KernelImage) -> bytes:
    built = Clang().build(find_policy(Path(), policy), (), image)
    assert isinstance(built, BuiltObject), built
    return built.elf


if __name__ == "__main__":
    sys.exit(main(*(int(word) if word.isdigit() else word for word in sys.argv[1:])))
