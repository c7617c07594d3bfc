"""The archive format of an initramfs ("newc"; Documentation/driver-api/early-userspace/buffer-format.rst)."""

from __future__ import annotations

from collections.abc import Mapping

_DIRECTORY = 0o040755
_PROGRAM = 0o100755


def archive(directories: tuple[str, ...], programs: Mapping[str, bytes]) -> bytes:
    """Directories, then executable files. Equal contents give equal bytes: no dates, no owners."""
    parts = [_entry(number, name, _DIRECTORY, b"") for number, name in enumerate(directories, 1)]
    parts += [_entry(number, name, _PROGRAM, data) for number, (name, data) in enumerate(programs.items(), 1000)]
    return b"".join((*parts, _entry(0, "TRAILER!!!", 0, b"")))


def _entry(inode: int, name: str, mode: int, data: bytes) -> bytes:
    path = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    return _padded(b"070701" + b"".join(b"%08x" % value for value in numbers) + path) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
