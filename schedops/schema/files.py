"""Where the package's data lives, and how a file from outside is read: bounded, regular, inside its tree."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path

import schedops
from schedops.errors import InputError

MAX_BYTES = 1 << 20


@functools.cache
def data_dir(name: str) -> Path:
    """``schemas`` or ``policies`` of this installation: in the wheel, else in the checkout (editable install).

    :raises RuntimeError: in neither, so the installation is broken.
    """
    package = Path(schedops.__file__).resolve().parent
    for place in (package / "_data" / name, package.parent / name):
        if place.is_dir():
            return place
    raise RuntimeError(f"{package} was installed without {name}/")


def read_bounded(path: Path, *, root: Path | None = None, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of at most *limit* bytes.

    :param root: symlinks may not lead out of this directory.
    :raises InputError: ``file-missing``, ``file-unreadable``, ``file-outside`` (a symlink leads out of the tree),
        ``not-a-file`` (a directory, pipe or device), ``file-too-large``.
    """
    try:
        real = path.resolve(strict=True)
        if root is not None and not real.is_relative_to(root.resolve(strict=True)):
            raise InputError("file-outside", f"{path}: a symlink leads out of {root}", where=str(path))
        data = _regular(real, limit)
    except FileNotFoundError:
        raise InputError("file-missing", f"{path} does not exist", where=str(path)) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symlinks, before Python 3.13
        why = getattr(error, "strerror", None) or str(error)
        raise InputError("file-unreadable", f"{path}: {why}", where=str(path)) from None
    if data is None:
        raise InputError("not-a-file", f"{path} is not a regular file", where=str(path))
    if len(data) > limit:
        raise InputError("file-too-large", f"{path} is larger than {limit} bytes", where=str(path))
    return data


def _regular(path: Path, limit: int) -> bytes | None:
    # Non-blocking: opening a pipe must not wait for a writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(handle)
