"""What of a library an index is made from: which files there are, whether they changed, what they say."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from schedops.errors import InputError
from schedops.model.outcome import History
from schedops.model.policy import Policy
from schedops.repository.history import FILE, MAX_BYTES, is_retired, parse_history
from schedops.repository.search import meaning_text
from schedops.repository.tree import POLICIES
from schedops.schema.files import read_bounded
from schedops.schema.read import load_all

_LIBRARY = f"{POLICIES}/library"
_DESCRIPTION = "policy.yaml"
_YOUNG_NS = 2_000_000_000  # a file may change again within the tick of its file system's clock, unseen


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the files of a policy say. *policy*: None when they cannot be read."""

    digest: str
    policy: Policy | None
    history: History

    @property
    def meaning(self) -> str:
        """What is embedded."""
        return meaning_text(self.policy) if self.policy is not None else ""

    @property
    def listed(self) -> bool:
        """It may be found."""
        return self.policy is not None and not is_retired(self.history)


def scan(root: Path) -> dict[str, str]:
    """Directory of the library -> stamp of its files; an empty stamp: too young to be told from a later change.

    Directories without a ``policy.yaml`` are left out.
    """
    youngest = time.time_ns() - _YOUNG_NS
    found: dict[str, str] = {}
    try:
        entries = list(os.scandir(root / _LIBRARY))
    except OSError:
        return found
    for entry in entries:
        if not entry.name.startswith("."):
            stamps = [_stamp(f"{entry.path}/{name}", youngest) for name in (_DESCRIPTION, FILE)]
            if stamps[0] is not None:
                found[entry.name] = "" if "" in stamps else " ".join(stamp or "-" for stamp in stamps)
    return found


def _stamp(path: str, youngest: int) -> str | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - ten thousand of them, and a Path for each is a third of the time
    except OSError:
        return None
    if max(status.st_mtime_ns, status.st_ctime_ns) > youngest:
        return ""
    return f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_size}.{status.st_ino}"


def read_files(root: Path, name: str) -> Scanned:
    """Policy and history of a directory of the library; never raises."""
    folder = root / _LIBRARY / name
    described = _bytes(folder / _DESCRIPTION, root)
    past = _bytes(folder / FILE, root, limit=MAX_BYTES) if (folder / FILE).exists() else b""
    digest = hashlib.sha256(hashlib.sha256(described).digest() + past).hexdigest()
    policy, problems = load_all(described, Policy)
    if policy is None or problems or policy.name != name:
        return Scanned(digest, None, History())
    return Scanned(digest, policy, parse_history(past, name).value or History())


def _bytes(path: Path, root: Path, *, limit: int = 1 << 20) -> bytes:
    try:
        return read_bounded(path, root=root / POLICIES, limit=limit)
    except InputError:
        return b""
