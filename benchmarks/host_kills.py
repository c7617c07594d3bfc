"""Kill what measures on a host, again and again, at random moments; count the hosts that are not as they were.

    python -m benchmarks.host_kills [KILLS]

The host is a micro-VM on the newest kernel, the adapter runs in a Python in there, with a policy in charge and jobs
under way. Killed with SIGKILL are in turn the tool with its whole cgroup, the supervisor with its agent, and the keeper
of settings. The bar: the default scheduler is back each time and no process is left; after the tool's end everything is
as it was, after the others' at the end of the next run.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.vm.qemu import Qemu
from schedops.model.verification import BuiltObject
from schedops.repository.library import find_policy
from tests.adapters.host.machine import MODULES, UNDONE, inside
from tests.adapters.host.python_tree import python_archive

VICTIMS = ("tool", "host", "keep")
LONGEST_MS = 1500  # on an emulated CPU the jobs are under way by then


def main(kills: int = 15) -> int:
    image = KernelStore().list()[-1]
    built = Clang().build(find_policy(Path(), "fifo"), (), image)
    assert isinstance(built, BuiltObject), built
    script = Path("tests/adapters/host/inside.py").read_bytes()
    files = {"policy.bpf.o": built.elf, "inside.py": script}
    started, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as place:
        programs = python_archive(Path(place), MODULES, files)
        with Qemu().boot(image, cpus=2, programs=programs) as guest:
            for number in range(kills):
                victim, wait_ms = VICTIMS[number % len(VICTIMS)], random.Random(number).randrange(LONGEST_MS)
                inside(guest, "die", str(wait_ms), victim)
                _, left = inside(guest, "look")
                trouble = _trouble(left, UNDONE if victim == "tool" else {"state": "disabled", "programs": []})
                wrong += bool(trouble)
                print(f"{victim} after {wait_ms} ms: {trouble or 'as it was'}", file=sys.stderr)
            _, left = inside(guest, "begin")  # and end
            trouble = _trouble(left, UNDONE)
    print(
        f"{image.kernel.name}: {kills} kills, {wrong} hosts not as they should be, {time.monotonic() - started:.0f} s"
    )
    print(f"after one more run: {trouble or 'as it was'}")
    return 1 if wrong or trouble else 0


def _trouble(found: Any, wanted: dict[str, object]) -> str:
    if not isinstance(found, dict):
        return str(found)
    return ", ".join(f"{name} is {found[name]!r}" for name, value in wanted.items() if found[name] != value)


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
