"""Where caches live, and how a file gets into one whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """``$SCHEDOPS_CACHE``, else ``$XDG_CACHE_HOME/schedops``, else ``~/.cache/schedops``. Not created."""
    if explicit := os.environ.get("SCHEDOPS_CACHE"):
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "schedops"


def write_whole(path: Path, data: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Put *data* at *path* so that a reader sees the old file or the new one, also after a power loss.

    :param sync: wait until it is on the disk. What carries its own digest and can be made again need not: after a power
        loss it is damaged at worst, and that is seen.
    """
    import tempfile  # noqa: PLC0415 - who only asks where the cache is does without

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(data)
            if sync:
                temporary.flush()
                os.fsync(temporary.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if sync:
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
