"""Protocol buffers taken apart, as far as a trace needs it (protobuf.dev/programming-guides/encoding). Hostile-safe."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LENGTHS = {_FIXED64: 8, _FIXED32: 4}
_MOST_BITS = 70  # in ten bytes
_LOW = (1 << 64) - 1


class Broken(ValueError):
    """Bytes that are no message."""


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field: integers as they are on the wire, below 2**64; everything else as its bytes.

    :raises Broken: cut off, a length beyond the end, or groups.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in _LENGTHS:
            length = _LENGTHS[kind]
        else:
            raise Broken(f"a field of kind {kind}")
        if length > end - at:
            raise Broken("a field that goes beyond the end")
        yield key >> 3, data[at : at + length]
        at += length


def varints(packed: bytes) -> Iterator[int]:
    """The values of a packed field. :raises Broken: cut off."""
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def signed(value: int) -> int:
    """An int32 or int64 as it is meant: two's complement in 64 bits."""
    return value - (1 << 64) if value >> 63 else value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The value and where the next thing begins."""
    try:
        byte = data[at]
        if byte < 0x80:  # nearly all of them
            return byte, at + 1
        value = byte & 0x7F
        for shift in range(7, _MOST_BITS, 7):
            at += 1
            byte = data[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & _LOW, at + 1
    except IndexError:
        raise Broken("a number that is cut off") from None
    raise Broken("a number that does not end")
