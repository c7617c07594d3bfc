"""What the archive was seen to offer, kept for commands that do not ask it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.kernel.kernels import KernelStore, version_key


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKernel:
    """A kernel of the archive that is not in the store.

    :param state: broken: it was fetched and no policy can run on it, *reason* says why | absent: nobody has looked.
    """

    release: str
    suite: str
    size_bytes: int
    state: str
    reason: str = ""


def remember_offers(suite: str, offers: Iterable[tuple[str, str, int]]) -> None:
    """:param offers: release, version of the package, bytes of the download."""
    rows = [{"release": release, "version": version, "size_bytes": size} for release, version, size in offers]
    write_whole(_offers() / f"{suite}.json", json.dumps(rows).encode())


def remember_refusal(release: str, version: str, reason: str) -> None:
    """It was looked at, and no policy can run on it."""
    write_whole(_refusal(release), json.dumps({"version": version, "reason": reason}).encode())


def remembered_refusal(release: str, version: str) -> str:
    """Why it was refused when it was looked at; empty when nobody did, or at another version of the package."""
    try:
        known = json.loads(_refusal(release).read_bytes())
        return str(known["reason"]) if known["version"] == version else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def known_kernels(store: KernelStore) -> tuple[KnownKernel, ...]:
    """Broken and absent ones, newest first; as of the last time that the archive was asked."""
    here = {image.kernel.release for image in store.list() if image.kernel.source == "debian"}
    found: dict[str, KnownKernel] = {}
    for path in sorted(_offers().glob("*.json")):
        for known in _read(path):
            if known.release not in here:
                found.setdefault(known.release, known)
    return tuple(sorted(found.values(), key=lambda known: version_key(known.release), reverse=True))


def _read(path: Path) -> list[KnownKernel]:
    try:
        return [_known(path.stem, row) for row in json.loads(path.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _known(suite: str, row: dict[str, object]) -> KnownKernel:
    release, size = str(row["release"]), row["size_bytes"]
    reason = remembered_refusal(release, str(row["version"]))
    size_bytes = size if isinstance(size, int) else 0
    state = "broken" if reason else "absent"
    return KnownKernel(release=release, suite=suite, size_bytes=size_bytes, state=state, reason=reason)


def _offers() -> Path:
    return cache_dir() / "kernels" / "offers"


def _refusal(release: str) -> Path:
    return cache_dir() / "kernels" / "refused" / f"{release}.json"
