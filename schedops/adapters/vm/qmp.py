"""QEMU's machine protocol, as little of it as is needed. Events are skipped."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

_MAX_LINE_BYTES = 1 << 20


class QmpError(Exception):
    """QEMU said no, said nothing in time, or is gone."""


class Qmp:
    """The host's end of a QMP channel."""

    def __init__(self, sock: socket.socket, *, deadline_s: float) -> None:
        self._socket = sock
        self._buffer = bytearray()
        self._message(time.monotonic() + deadline_s)  # the greeting
        self.execute("qmp_capabilities", deadline_s=deadline_s)

    def execute(self, command: str, *, deadline_s: float = 10, **arguments: Any) -> Any:
        """The command's return value.

        :raises QmpError: whatever goes wrong.
        """
        until = time.monotonic() + deadline_s
        try:
            self._socket.settimeout(deadline_s)
            self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"{command}: {error}") from None
        while True:
            message = self._message(until)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise QmpError(f"{command}: {message['error'].get('desc', '')}"[:400])

    def status(self, *, deadline_s: float = 10) -> str:
        """Run state: running, paused, inmigrate, internal-error, ..."""
        return str(self.execute("query-status", deadline_s=deadline_s)["status"])

    def _message(self, until: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE_BYTES:
                raise QmpError("a line without an end")
            self._receive(until)
        end = self._buffer.index(b"\n") + 1
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        try:
            message = json.loads(line)
        except ValueError:
            raise QmpError("a line that is no JSON") from None
        if not isinstance(message, dict):
            raise QmpError("a line that is no object")
        return message

    def _receive(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise QmpError("no answer in time")
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise QmpError("no answer in time") from None
        except OSError as error:
            raise QmpError(str(error)) from None
        if not data:
            raise QmpError("QEMU closed its control channel")
        self._buffer += data
