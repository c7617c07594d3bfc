"""Keeps the end of a stream that somebody untrusted writes: always read, never more than so much kept."""

from __future__ import annotations

import os
import threading

from schedops import proc


class Drain(threading.Thread):
    """Reads *handle* (which it owns and closes) until its end."""

    def __init__(self, handle: int, *, keep_bytes: int) -> None:
        super().__init__(daemon=True)
        self._stream = handle  # not _handle: Thread of Python 3.13 has one of its own
        self._keep = keep_bytes
        self._data = bytearray()
        self._lock = threading.Lock()
        self.seen_bytes = 0
        self.start()

    def run(self) -> None:
        """Read to the end."""
        while chunk := _read(self._stream):
            with self._lock:
                self.seen_bytes += len(chunk)
                self._data += chunk
                del self._data[: -self._keep]
        os.close(self._stream)

    def tail(self, limit_bytes: int | None = None) -> str:
        """The last bytes as text without control characters."""
        with self._lock:
            data = bytes(self._data)
        return proc.printable(data[-limit_bytes:] if limit_bytes else data)


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""
