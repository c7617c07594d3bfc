"""The resident loader's side of the hint socket (``schedops/guest/hints.c``), for tests."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path
from typing import Self


class Loader:
    """Listens until it is told to end. *heard*: process id by the kernel, nanoseconds."""

    def __init__(self, path: Path, *, answers: bool = True) -> None:
        self.path, self.answers = path, answers
        self.heard: list[tuple[int, int]] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(str(path))
        self.socket.listen(1024)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever connects last says nothing: the end.
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as last:
            last.connect(str(self.path))
        self.thread.join(timeout=60)
        self.socket.close()

    def _serve(self) -> None:
        said = b"first"
        while said:
            client, _ = self.socket.accept()
            with client, contextlib.suppress(BrokenPipeError):
                credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                said = client.recv(16)
                if said:
                    self.heard.append((struct.unpack("3i", credentials)[0], struct.unpack("<Q", said)[0]))
                    client.send(b"\1") if self.answers else client.recv(1)  # until the launcher gives up
