"""Settings of this machine that are changed for a while, and the process that puts them back whatever becomes of us."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess  # noqa: TID251 - for the name of an exception; proc makes the process
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schedops.adapters.host.process import start
from schedops.adapters.vm.drain import Drain
from schedops.errors import Unavailable

PLACE = Path("/run/schedops-host")
_LOCK = "lock"
_SETTINGS = "settings"
_READY_S = 20.0
_GONE_S = 20.0
_WAIT_S = 5.0  # an earlier run that was killed is being undone
_MAX_VALUE = 4096


class Keeper:
    """:param journal: what settings were before; the keeper process reads it at its end.

    :param lock: handle of the lock that only one run on this machine holds.
    """

    def __init__(self, journal: Path, lock: int) -> None:
        self._journal = journal
        self.lock = lock

    def change(self, path: Path, value: str) -> str:
        """Set it to *value* until the end; empty, or why not."""
        try:
            before = path.read_text(encoding="utf-8")[:_MAX_VALUE].strip()
            if before == value:
                return ""
            if "\n" in before or any(c.isspace() for c in str(path)):
                return f"{path} cannot be put back"
            # First what it was: whoever ends between the two leaves it as it is.
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(f"{path} {before}\n")
            path.write_text(value, encoding="utf-8")
        except OSError as error:
            return f"{path}: {error.strerror}"
        return ""


@contextmanager
def keeping(program: Path, cgroups: Path, *, place: Path = PLACE) -> Iterator[Keeper]:
    """This machine for us alone, until the context ends; then changed settings are as they were.

    :param program: of ``schedops/guest``, as :func:`schedops.adapters.host.process.host_program` has it.
    :param cgroups: where cgroup v2 is mounted.
    :raises Unavailable: ``busy``: another run has it; ``host-not-restored``: settings could not be put back.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = place / _SETTINGS
    with _locked(place / _LOCK) as lock:
        ours, theirs = socket.socketpair()
        with theirs:
            argv = [str(program), "keep", str(theirs.fileno()), str(journal), str(cgroups)]
            process, stderr = start(argv, [theirs.fileno()], lock=lock)
        try:
            if not _is_ready(ours):
                raise _not_restored(journal, stderr)
            yield Keeper(journal, lock)
        finally:
            ours.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GONE_S)
            if process.poll() != 0:
                raise _not_restored(journal, stderr)


def _is_ready(ours: socket.socket) -> bool:
    """It has put back what an earlier run has left, if that was killed with its keeper."""
    ours.settimeout(_READY_S)
    try:
        return ours.recv(1) == b"+"
    except OSError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    # Not disk.locks.held(): that lock ends with us, this one with the last process that undoes what we did.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(handle, path)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                text = "another run measures on this machine, and two at once would disturb each other"
                raise Unavailable("busy", text, where=str(path), hint="run it again when that is over") from None
            time.sleep(0.05)
        else:
            return


def _not_restored(journal: Path, stderr: Drain) -> Unavailable:
    stderr.join(timeout=1)
    text = "this machine's settings are not kept: nothing is changed, or some could not be put back to what they were"
    hint = (
        "each line of that file is a path and its value before; the next run with --on host tries again; "
        "if that fails too, set them by hand and remove the file"
    )
    return Unavailable("host-not-restored", text, where=str(journal), hint=hint, detail=stderr.tail(4000))
