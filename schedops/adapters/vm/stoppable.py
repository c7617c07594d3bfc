"""Machines whose guests can all be ended at once, for when several threads wait for guests and one is interrupted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from schedops.ports import Guest, KernelImage


class EndableGuest(Guest, Protocol):
    """A guest that another thread can end."""

    def end(self) -> None:
        """Kill it; whoever waits for its answer gets GuestLost."""


class EndableMachines(Protocol):
    """Makes such guests."""

    def boot(
        self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None
    ) -> AbstractContextManager[EndableGuest]:
        """As the port."""

    def accelerator(self) -> Accelerator:
        """As the port."""


class StoppableMachines:
    """Implements the port Machines, and is the breaker of a crew."""

    def __init__(self, inner: EndableMachines) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._running: list[EndableGuest] = []
        self._stopped = False

    @contextmanager
    def boot(self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None) -> Iterator[Guest]:
        """See the port. :raises Unavailable: also when all was stopped."""
        self._check()
        with self._inner.boot(image, cpus=cpus, sockets=sockets, programs=programs) as guest:
            with self._lock:
                self._running.append(guest)
            try:
                self._check()
                yield guest
            finally:
                with self._lock:
                    self._running.remove(guest)

    def accelerator(self) -> Accelerator:
        """See the port."""
        return self._inner.accelerator()

    def begin(self) -> None:
        """Guests may be started again."""
        self._stopped = False

    def stop(self) -> None:
        """End all that are running, and start no more."""
        with self._lock:
            self._stopped = True
            for guest in self._running:
                guest.end()

    def _check(self) -> None:
        if self._stopped:
            raise Unavailable("interrupted", "it was broken off", hint="run it again")
