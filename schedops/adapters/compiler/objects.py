"""Compiled objects, kept by the digest of everything they depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from schedops.adapters.disk.cachedir import write_whole
from schedops.model.verification import SourceProblem

_MAGIC = b"schedops-object-2 "


@dataclass(frozen=True, slots=True)
class Compiled:
    """An object with its parameters at their defaults, what the compiler warned of, and the jail it ran in."""

    elf: bytes
    warnings: tuple[SourceProblem, ...]
    jail: str


class ObjectCache:
    """One file per object: a line with the digest of the rest, a line with jail and warnings, the object."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, key: str) -> Compiled | None:
        """What was kept under *key*; None when nothing was, or it is damaged."""
        try:
            head, _, rest = self._path(key).read_bytes().partition(b"\n")
        except OSError:
            return None
        if head != _MAGIC + hashlib.sha256(rest).hexdigest().encode():
            return None
        head, _, elf = rest.partition(b"\n")
        kept = json.loads(head)
        return Compiled(elf, tuple(SourceProblem(**entry) for entry in kept["warnings"]), kept["jail"])

    def keep(self, key: str, compiled: Compiled) -> None:
        """Keep it, whole or not at all."""
        kept = {"jail": compiled.jail, "warnings": [asdict(problem) for problem in compiled.warnings]}
        rest = json.dumps(kept).encode() + b"\n" + compiled.elf
        write_whole(self._path(key), _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / key
