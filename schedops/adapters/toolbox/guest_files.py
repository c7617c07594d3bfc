"""What a guest gets beside Debian's programs: programs of ours, and a source tree that the user named."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import publish, staging
from schedops.adapters.vm.cpio import archive as small_archive
from schedops.adapters.vm.cpio import tree_archive
from schedops.errors import InputError, Unavailable

MAX_TREE_BYTES = 2 << 30
_PLACES = ("usr", "usr/local", "usr/local/bin", "job", "job/source")
_HISTORIES = frozenset({".git", ".hg", ".svn", ".schedops"})


def with_files(archive: Path, programs: Mapping[str, bytes], *, tree: Path | None = None) -> Path:
    """The archive with *programs* in ``/usr/local/bin`` and *tree* as ``/job/source``, without its version history.

    :param archive: as :func:`schedops.adapters.toolbox.guest_programs.programs_archive` makes it.
    :param tree: taken as it is, what was built in it included.
    :raises InputError: the tree cannot be read, or has more than :data:`MAX_TREE_BYTES`.
    :raises Unavailable: the cache cannot be written.
    """
    home = cache_dir() / "programs"
    try:
        with staging(home) as place:
            target = home / _write(place, archive, programs, tree)
            shutil.copyfile(archive.with_name("PACKAGES"), place / "PACKAGES")
            publish(place, target)
    except OSError as error:
        raise Unavailable(
            "cache-not-writable",
            f"programs for guests could not be kept: {error.strerror}",
            where=str(home),
            hint="make room, or point SCHEDOPS_CACHE somewhere writable",
        ) from None
    return target / "archive.cpio"


def _write(place: Path, archive: Path, programs: Mapping[str, bytes], tree: Path | None) -> str:
    digest = hashlib.sha256()
    shutil.copyfile(archive, place / "archive.cpio")
    digest.update(archive.parent.name.encode())
    with (place / "archive.cpio").open("ab") as file:
        for piece in _more(programs, tree):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()[:32]


def _more(programs: Mapping[str, bytes], tree: Path | None) -> Iterator[bytes]:
    # Archives may follow each other.
    yield small_archive(_PLACES, {f"usr/local/bin/{name}": data for name, data in programs.items()})
    if tree is None:
        return
    taken = 0
    try:
        for piece in tree_archive(tree, lambda name: name.rpartition("/")[2] not in _HISTORIES, under="job/source/"):
            taken += len(piece)
            if taken > MAX_TREE_BYTES:
                raise InputError(
                    "source-too-large", f"more than {MAX_TREE_BYTES >> 20} MiB of sources", where=str(tree)
                )
            yield piece
    except OSError as error:
        raise InputError("source-unreadable", f"sources cannot be read: {error.strerror}", where=str(tree)) from None
