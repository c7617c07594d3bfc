"""``.schedops/`` in the user's work tree: what schedops keeps there, out of the sight of the user's git."""

from __future__ import annotations

from pathlib import Path

NAME = ".schedops"
_IGNORE_ALL = b"*\n"


def prepare(root: Path) -> Path:
    """The directory, made if need be; it ignores itself, so the user's ``git status`` stays clean.

    :param root: top of the user's work tree.
    """
    own = root / NAME
    own.mkdir(exist_ok=True)
    ignore = own / ".gitignore"
    # Two bytes, checked every time: a half-written one is mended by the next command, so no temporary file is needed.
    if not ignore.is_file() or ignore.read_bytes() != _IGNORE_ALL:
        ignore.write_bytes(_IGNORE_ALL)
    return own
