"""Advisory locks that die with their process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schedops.errors import Unavailable

_POLL_S = 0.05


@contextmanager
def held(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock file *path* for the length of the context.

    The file stays (removing it would let two holders have two different files).

    :raises Unavailable: ``busy`` when another process still holds it after *wait_s* seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(handle, path, wait_s)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    "busy", f"another schedops has held this for {wait_s:g} s", where=str(path), hint="run it again"
                ) from None
            time.sleep(_POLL_S)
        else:
            return
