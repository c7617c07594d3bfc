"""The last profile of each workload, in ``.schedops/profiles/`` of the user's work tree."""

from __future__ import annotations

import contextlib
from pathlib import Path

from schedops.adapters.disk import workdir
from schedops.adapters.disk.cachedir import write_whole
from schedops.errors import InputError
from schedops.model.profile import Profile
from schedops.model.workload import Workload
from schedops.schema.canonical import canonical_bytes, digest_of
from schedops.schema.read import load

_DIGITS = 12  # of the workload's digest


class KeptProfiles:
    """:param root: top of the user's work tree. *place*: vm | host; figures of one say nothing about the other."""

    def __init__(self, root: Path, place: str = "vm") -> None:
        self._root = root
        self._directory = "profiles" if place == "vm" else f"profiles-{place}"

    def find(self, workload: Workload, cpus: int) -> Profile | None:
        """The last one of this very workload on so many CPUs; None when there is none that can be read."""
        path = self._path(workload, cpus)
        try:
            return load(path, Profile, root=self._root)
        except InputError:
            return None

    def keep(self, workload: Workload, profile: Profile) -> None:
        """Never raises: what cannot be kept is measured again."""
        with contextlib.suppress(OSError):
            workdir.prepare(self._root)
            write_whole(self._path(workload, profile.cpus), canonical_bytes(profile), sync=False)

    def _path(self, workload: Workload, cpus: int) -> Path:
        digest = digest_of(workload).removeprefix("sha256:")[:_DIGITS]
        return self._root / workdir.NAME / self._directory / f"{workload.name}-{cpus}-{digest}.json"
