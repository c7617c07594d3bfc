"""The parts of a WebAssembly module that are of use here: imports, where the code starts, custom sections."""

from __future__ import annotations

from dataclasses import dataclass

_MAGIC = b"\0asm\1\0\0\0"
_CUSTOM, _IMPORT, _CODE = 0, 2, 10


@dataclass(frozen=True, slots=True)
class WasmFile:
    """:param code: offset in the file at which addresses of the debug information begin to count."""

    custom: dict[str, bytes]
    imports: tuple[tuple[str, str], ...]  # (module, name), as they stand
    code: int


def parse_wasm(data: bytes) -> WasmFile:
    """:raises ValueError: it is none."""
    if not data.startswith(_MAGIC):
        raise ValueError("not a WebAssembly module")
    custom: dict[str, bytes] = {}
    imports: tuple[tuple[str, str], ...] = ()
    at, code = len(_MAGIC), 0
    while at < len(data):
        kind = data[at]
        size, start = uleb(data, at + 1)
        at = start + size
        if kind == _CUSTOM:
            length, text = uleb(data, start)
            custom[data[text : text + length].decode("utf-8", "replace")] = data[text + length : at]
        elif kind == _IMPORT:
            imports = _imports(data, start)
        elif kind == _CODE:
            code = start
    return WasmFile(custom, imports, code)


def uleb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _imports(data: bytes, at: int) -> tuple[tuple[str, str], ...]:
    count, at = uleb(data, at)
    found = []
    for _ in range(count):
        names = []
        for _ in range(2):
            length, at = uleb(data, at)
            names.append(data[at : at + length].decode("utf-8", "replace"))
            at += length
        at = _skip_type(data, at + 1, data[at])
        found.append((names[0], names[1]))
    return tuple(found)


def _skip_type(data: bytes, at: int, kind: int) -> int:
    if kind == 0:  # function: its type
        return uleb(data, at)[1]
    if kind == 3:  # global: value type, mutability
        return at + 2
    at += 1 if kind == 1 else 0  # table: element type before its limits
    flags = data[at]
    at = uleb(data, at + 1)[1]
    return uleb(data, at)[1] if flags & 1 else at
