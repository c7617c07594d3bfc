"""Directories that appear whole or not at all, and the sweeping of what killed processes left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".new-"
_LOCK = ".lock"


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """An empty directory inside *parent*, removed at the end unless :func:`publish` moved it away.

    What killed processes left in *parent* is removed first. A lock held by the kernel says who is alive, so neither a
    reused process number nor another container sharing the cache can be mistaken for it.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    handle, directory = _claim(parent)
    try:
        directory.mkdir()
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _lock_of(directory).unlink(missing_ok=True)
        os.close(handle)


def publish(directory: Path, target: Path) -> bool:
    """Give a finished directory its name. False when somebody else was first; theirs is kept.

    Files that must outlive a power loss are written with ``write_whole``.

    :raises OSError: disk full, no permission.
    """
    try:
        directory.rename(target)
    except OSError:
        if target.is_dir():
            return False
        raise
    return True


def sweep(parent: Path) -> None:
    """Remove the staging directories of processes that are gone."""
    for lock in parent.glob(f"{_PREFIX}*{_LOCK}"):
        with contextlib.suppress(OSError):
            _sweep_one(lock)


def _lock_of(directory: Path) -> Path:
    return directory.with_name(directory.name + _LOCK)


def _claim(parent: Path) -> tuple[int, Path]:
    while True:
        directory = parent / f"{_PREFIX}{secrets.token_hex(6)}"
        handle = os.open(_lock_of(directory), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # A sweeper may have come between open and flock and unlinked the file.
        if _same_file(handle, _lock_of(directory)):
            return handle, directory
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sweep_one(lock: Path) -> None:
    handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.with_name(lock.name.removesuffix(_LOCK)), ignore_errors=True)
        lock.unlink(missing_ok=True)
    finally:
        os.close(handle)
