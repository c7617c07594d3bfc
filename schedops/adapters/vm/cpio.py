"""The archive format of an initramfs ("newc"; Documentation/driver-api/early-userspace/buffer-format.rst)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_DIRECTORY = 0o040755
_PROGRAM = 0o100755
_LINK = 0o120777


def archive(directories: tuple[str, ...], programs: Mapping[str, bytes]) -> bytes:
    """Directories, then executable files. Equal contents give equal bytes: no dates, no owners."""
    parts = [_entry(number, name, _DIRECTORY, b"") for number, name in enumerate(directories, 1)]
    parts += [_entry(number, name, _PROGRAM, data) for number, (name, data) in enumerate(programs.items(), 1000)]
    return b"".join((*parts, _END))


def tree_archive(root: Path, wanted: Callable[[str], bool], *, under: str = "") -> Iterator[bytes]:
    """A directory's tree, parents first, by name; piece by piece. Everything belongs to root; no dates, no hard links.

    :param wanted: of a path relative to *root*, with slashes; what it refuses is left out with all below it.
    :param under: directory that takes it, with a slash at its end; it has to be there already.
    :raises OSError: a file cannot be read.
    """
    for number, path in enumerate(_below(root, root, wanted), 1):
        yield _of_file(number, path, under + str(path.relative_to(root)))
    yield _END


def _below(root: Path, directory: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if not wanted(str(path.relative_to(root))):
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(root, path, wanted)


def _of_file(number: int, path: Path, name: str) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _entry(number, name, _LINK, str(path.readlink()).encode())
    if stat.S_ISDIR(mode):
        return _entry(number, name, mode, b"")
    return _entry(number, name, mode, path.read_bytes()) if stat.S_ISREG(mode) else b""


def _entry(inode: int, name: str, mode: int, data: bytes) -> bytes:
    path = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    return _padded(b"070701" + b"".join(b"%08x" % value for value in numbers) + path) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


_END = _entry(0, "TRAILER!!!", 0, b"")
