"""One request, one reply, over the guest's serial port; every exchange has a deadline."""

from __future__ import annotations

import socket
import time

from schedops.adapters.vm import wire


class PortLost(Exception):
    """The guest is of no more use: its port closed, it said nonsense, or it was too late."""


class RequestRefused(Exception):
    """The guest is well and says no."""


class Port:
    """The host's end. Not for use by two threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sequence = 0
        self._buffer = bytearray()

    def poll_ready(self, wait_s: float) -> bool:
        """True when the guest has said that it is up; False when it has not within *wait_s*.

        :raises PortLost: it said something else, or the port closed.
        """
        try:
            header = self._header(time.monotonic() + wait_s)
        except TimeoutError:
            return False
        if header != wire.Header(0, "ready", 0):
            raise PortLost("the guest did not begin with the agreed word")
        return True

    def request(self, verb: str, payload: bytes = b"", *, guest_s: float, wait_s: float) -> wire.Body:
        """:param guest_s: deadline the guest is given; *wait_s*: how long its reply is waited for.

        :raises PortLost: no reply in time, or not one of ours.
        :raises RequestRefused: the guest's reply is an error.
        """
        self._sequence += 1
        until = time.monotonic() + wait_s
        self._check_silent()
        try:
            self._send(f"{self._sequence} {verb} {round(guest_s * 1000)} {len(payload)}\n".encode() + payload, until)
            header = self._header(until)
            body = wire.parse_body(self._take(header.length, until))
        except TimeoutError:
            raise PortLost(f"no answer to {verb!r} within {wait_s:g} s") from None
        except wire.Garbled as error:
            raise PortLost(f"a garbled answer to {verb!r}: {error}") from None
        except OSError as error:
            raise PortLost(f"the port broke: {error.strerror}") from None
        if header.sequence != self._sequence:
            raise PortLost(f"answer {header.sequence} to request {self._sequence}")
        if header.kind != "ok":
            raise RequestRefused(verb)
        return body

    def _check_silent(self) -> None:
        """What was said before it was asked for is no answer, though it may carry the right number."""
        self._socket.settimeout(0)
        try:
            early = bytes(self._buffer) or self._socket.recv(64)
        except BlockingIOError:
            return
        except OSError as error:
            raise PortLost(f"the port broke: {error.strerror}") from None
        raise PortLost("the guest answered before it was asked" if early else "the port closed")

    def _send(self, data: bytes, until: float) -> None:
        self._socket.settimeout(_left(until))
        self._socket.sendall(data)

    def _header(self, until: float) -> wire.Header:
        while b"\n" not in self._buffer:
            if len(self._buffer) > wire.MAX_HEADER_BYTES:
                raise wire.Garbled("a header without an end")
            self._receive(until)
        end = self._buffer.index(b"\n") + 1
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        return wire.parse_header(line)

    def _take(self, length: int, until: float) -> bytes:
        while len(self._buffer) < length:
            self._receive(until)
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def _receive(self, until: float) -> None:
        self._socket.settimeout(_left(until))
        data = self._socket.recv(65536)
        if not data:
            raise PortLost("the port closed")
        self._buffer += data


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
