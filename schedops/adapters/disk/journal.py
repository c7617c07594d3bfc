"""A file of lines that survives the death of whoever writes it: what is there whole is believed, a torn end is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schedops.adapters.disk.locks import held
from schedops.errors import InputError, Unavailable

MAX_BYTES = 256 << 20


class Journal:
    """An open one. Lines end with a newline and hold no other."""

    def __init__(self, handle: int, lines: tuple[bytes, ...]) -> None:
        self._handle = handle
        self.lines = lines  # what was there when it was opened

    def append(self, line: bytes) -> None:
        """Written before this returns: the death of this process loses nothing."""
        os.write(self._handle, line)


@contextmanager
def open_journal(path: Path, *, resume: bool) -> Iterator[Journal]:
    """The journal at *path* for as long as the context; nobody else has it meanwhile.

    :param resume: go on with what is there.
    :raises InputError: ``journal-there``: something is, and *resume* is false; ``journal-too-large``; ``busy``.
    """
    try:
        with held(path.with_suffix(".lock"), wait_s=0):
            lines, whole = _lines(path)
            if lines and not resume:
                raise InputError(
                    "journal-there",
                    f"{path} has {len(lines)} lines of an earlier run",
                    where=str(path),
                    hint="--resume goes on with it; or another --out",
                )
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                os.ftruncate(handle, whole)  # what a dying writer left of a line
                yield Journal(handle, lines)
                os.fsync(handle)
            finally:
                os.close(handle)
    except Unavailable as busy:
        raise InputError("busy", "another schedops writes here now", where=busy.where, hint="another --out") from None


def _lines(path: Path) -> tuple[tuple[bytes, ...], int]:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return (), 0
    if size > MAX_BYTES:
        raise InputError("journal-too-large", f"{path} is larger than {MAX_BYTES >> 20} MiB", where=str(path))
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    return tuple(data[:whole].splitlines()), whole
