"""What ``schedops-hint`` and ``schedops hint`` keep in the ``.schedops/`` of a project."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from schedops.adapters.disk import workdir
from schedops.errors import InputError

DOCUMENT = "hints.yaml"
TABLE = "hints.table"
LOG = "hints.log"
_LEARNING = "hints.log.learning-"


def project_root(start: Path) -> Path:
    """The project that *start* is in, as ``schedops-hint`` finds it (schedops/host/hint_key.c); *start* without one."""
    said = os.environ.get("SCHEDOPS_HINT_ROOT", "")
    if said.startswith("/"):
        return Path(said)
    marked = (place for place in (start, *start.parents[:-1]) if _holds(place, ".git") or _holds(place, workdir.NAME))
    return next(marked, start)


def own_directory(root: Path) -> Path:
    """``.schedops`` of the project, made if need be. :raises InputError: ``foreign-directory``: it is a link."""
    if (root / workdir.NAME).is_symlink():
        raise InputError("foreign-directory", f"{workdir.NAME} is a link to somewhere else", where=str(root))
    return workdir.prepare(root)


def logs_to_learn(directory: Path) -> tuple[Path, ...]:
    """What the launcher has written so far, moved aside so that it begins anew; also what was never learnt to its end.

    The caller removes each when its records are safe.
    """
    log = directory / LOG
    if log.is_file() and not log.is_symlink():
        log.rename(directory / f"{_LEARNING}{log.stat().st_mtime_ns}")
    return tuple(sorted(directory.glob(f"{_LEARNING}*")))


def changed_on(path: Path, *, today: str) -> str:
    """The day of its last change, ISO 8601, UTC; *today* where that lies ahead.

    :raises InputError: ``file-missing``.
    """
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        raise InputError("file-missing", f"{path} does not exist", where=str(path)) from None
    return min(changed.date().isoformat(), today)


def _holds(place: Path, name: str) -> bool:
    return (place / name).exists() or (place / name).is_symlink()
