"""The port Crew on threads: what they wait for (compilers, guests) runs in processes of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
GUEST_BYTES = 768 << 20  # its memory, and QEMU's own
_MEMINFO = Path("/proc/meminfo")


class Breaker(Protocol):
    """Ends what the hands are waiting for when the work is broken off (Ctrl-C, a bug)."""

    def begin(self) -> None:
        """Work begins."""

    def stop(self) -> None:
        """It is over; from another thread than those that wait."""


class Threads:
    """Implements the port. Only work side by side needs a breaker: an interrupt reaches the main thread alone."""

    def __init__(self, breaker: Breaker | None = None) -> None:
        self._breaker = breaker

    def each(self, work: Callable[[Item], Made], things: Sequence[Item], *, at_once: int) -> list[Made]:
        """See the port."""
        if at_once <= 1 or len(things) <= 1:
            return [work(thing) for thing in things]
        if self._breaker is not None:
            self._breaker.begin()
        with ThreadPoolExecutor(max_workers=min(at_once, len(things))) as pool:
            futures = [pool.submit(work, thing) for thing in things]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                if self._breaker is not None:
                    self._breaker.stop()
                raise

    def cores(self) -> int:
        """See the port."""
        return len(os.sched_getaffinity(0))

    def guests_at_once(self, *, cpus: int) -> int:
        """See the port. Cores are never shared between guests: a starved one proves nothing."""
        by_cores = self.cores() // max(cpus, 1)
        return max(1, min(by_cores, _available_bytes() // GUEST_BYTES))


def _available_bytes() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return GUEST_BYTES
