"""Small C programs for the user's own machine (``schedops/host``), built once per content of their sources.

Found in a few milliseconds when they are there: ``schedops hint`` does it for every job.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import schedops.host
from schedops.adapters.disk.cachedir import cache_dir, write_whole

LAUNCHER = "schedops-hint"
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-static")


def hint_launcher() -> Path:
    """``schedops-hint``, compiled if need be.

    :raises Unavailable: no C compiler, it does not compile, or the cache cannot be written.
    """
    program = hint_launcher_path()
    if not program.exists():
        _build(program)
    return program


def hint_launcher_path() -> Path:
    """Where it is, or will be once it is built."""
    digest = hashlib.sha256(repr((_FLAGS, os.uname().machine)).encode())
    for path in _sources():
        data = path.read_bytes()
        digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
    return cache_dir() / "host" / digest.hexdigest()[:32] / LAUNCHER


def link_beside(directory: Path) -> Path | None:
    """Make a link ``schedops-hint`` in *directory*; None where it is there already or the place is not ours to change.

    :raises Unavailable: as :func:`hint_launcher`.
    """
    link, program = directory / LAUNCHER, hint_launcher()
    if link.is_symlink() and link.readlink() == program:
        return None
    if link.exists() and not (link.is_symlink() and link.readlink().name == LAUNCHER):
        return None
    new = link.with_name(f".{LAUNCHER}.new")
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(program)
        new.replace(link)
    except OSError:
        return None
    return link


def _sources() -> list[Path]:
    package = Path(schedops.host.__path__[0])
    return sorted(path for path in package.iterdir() if path.suffix in (".c", ".h"))


def _build(program: Path) -> None:
    from schedops import proc  # noqa: PLC0415 - once; whoever finds the program does without
    from schedops.adapters.disk.staging import staging  # noqa: PLC0415
    from schedops.adapters.toolbox.c_compiler import c_compiler  # noqa: PLC0415
    from schedops.errors import Unavailable  # noqa: PLC0415

    compiler = c_compiler()
    units = [path for path in _sources() if path.suffix == ".c"]
    try:
        with staging(cache_dir() / "scratch") as directory:
            built = directory / LAUNCHER
            proc.checked([compiler, *_FLAGS, "-o", built, *units], deadline_s=120)
            write_whole(program, built.read_bytes(), mode=0o755)
    except OSError as error:
        raise Unavailable(
            "cache-not-writable",
            f"{LAUNCHER} could not be written: {error.strerror}",
            where=str(program),
            hint="make room, or point SCHEDOPS_CACHE somewhere writable",
        ) from None
