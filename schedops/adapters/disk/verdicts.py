"""The port Verdicts: reports of earlier runs, one file each, believed only when they are ours, whole and of this tool.

A verdict lets a policy pass, so whoever can write here can pass anything: the directory is the user's alone, and what
somebody else owns or could have written is not read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.package import package_digest
from schedops.errors import InputError
from schedops.model.verification import VerificationReport
from schedops.schema.canonical import canonical_bytes
from schedops.schema.decode import decode

MAX_ENTRIES = 4096
MAX_ENTRY_BYTES = 1 << 20
_MAGIC = b"schedops-verdict-1 "
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DiskVerdicts:
    """Implements the port.

    :param root: by default ``verdicts`` in the cache directory.
    :param tool: digest of the program; part of every key, so no answer outlives the rules that gave it.
    :param most: how many entries are kept; those not used for longest go first.
    """

    def __init__(
        self, root: Path | None = None, *, tool: Callable[[], str] = package_digest, most: int = MAX_ENTRIES
    ) -> None:
        self._root = root if root is not None else cache_dir() / "verdicts"
        self._tool = tool
        self._most = most

    def find(self, key: str) -> VerificationReport | None:
        """See the port."""
        path = self._path(key)
        try:
            data = self._read(path)
            head, _, body = data.partition(b"\n")
            if head != _head(path, body):
                return None
            report = decode(VerificationReport, json.loads(body))
        except (OSError, ValueError, RecursionError, InputError):
            return None
        with contextlib.suppress(OSError):  # when it was used last
            os.utime(path)
        return report

    def keep(self, key: str, report: VerificationReport) -> None:
        """See the port."""
        with contextlib.suppress(OSError, ValueError):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            body = canonical_bytes(report)
            if len(body) > MAX_ENTRY_BYTES // 2 or not _is_ours(self._root.lstat(), stat.S_ISDIR):
                return
            path = self._path(key)
            write_whole(path, _head(path, body) + b"\n" + body, mode=0o600)
            self._prune()

    def _path(self, key: str) -> Path:
        return self._root / hashlib.sha256(f"{self._tool()}\0{key}".encode()).hexdigest()

    def _read(self, path: Path) -> bytes:
        if not _is_ours(self._root.lstat(), stat.S_ISDIR):
            raise OSError
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            if not _is_ours(os.fstat(handle), stat.S_ISREG):
                raise OSError
            return stream.read(MAX_ENTRY_BYTES)

    def _prune(self) -> None:
        entries = [entry for entry in os.scandir(self._root) if not entry.name.startswith(".")]
        if len(entries) <= self._most:
            return
        entries.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime)
        for entry in entries[: len(entries) - self._most * 3 // 4]:
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()


def _head(path: Path, body: bytes) -> bytes:
    """Names its key too: an entry that was moved answers no other question."""
    return _MAGIC + hashlib.sha256(f"{path.name}\0".encode() + body).hexdigest().encode()


def _is_ours(status: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & _OTHERS
