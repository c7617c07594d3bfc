"""The wire format of protocol buffers, as far as a trace needs it (protobuf.dev/programming-guides/encoding)."""

from __future__ import annotations

_VARINT, _FIXED64, _BYTES = 0, 1, 2


def varint(value: int) -> bytes:
    """Seven bits a byte, the low ones first. *value* is not negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """An integer, boolean or enumerator; negative ones as 64 bits, as int32 and int64 want it."""
    return varint(field << 3 | _VARINT) + varint(value & (1 << 64) - 1)


def fixed64(field: int, value: int) -> bytes:
    """A fixed64."""
    return varint(field << 3 | _FIXED64) + value.to_bytes(8, "little")


def message(field: int, *parts: bytes) -> bytes:
    """A message inside of a message."""
    body = b"".join(parts)
    return varint(field << 3 | _BYTES) + varint(len(body)) + body


def text(field: int, value: str) -> bytes:
    """A string; what has no place in UTF-8 is replaced."""
    return message(field, value.encode("utf-8", "replace"))
