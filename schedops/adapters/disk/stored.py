"""A stored comparison off the disk: the directory of a run, an evidence bundle, or measurements alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

from schedops.evidence.bundle import DIRECTORY
from schedops.model.evidence import Evidence
from schedops.model.kept import StoredResult
from schedops.model.measurements import Measurements
from schedops.model.pull import FileChange
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload
from schedops.schema.files import read_bounded
from schedops.schema.read import load

T = TypeVar("T")
_MEASUREMENTS = "measurements.json"
_MOST_BYTES = 64 << 20
# The same document has one name in the directory of a run and another in an evidence bundle.
_VERIFICATION = ("verification-report.json", "verification.json")


def read_stored(path: Path) -> StoredResult:
    """:param path: of the measurements, or of the directory that holds them as ``measurements.json``. Only a file of
        that name has neighbours.

    :raises InputError: a file cannot be read, or a document is not valid.
    """
    file = path / _MEASUREMENTS if path.is_dir() else path
    measurements = load(file, Measurements)
    if file.name != _MEASUREMENTS:
        return StoredResult(where=str(file), measurements=measurements)
    beside = file.parent
    verification = next(
        (beside / name for name in _VERIFICATION if (beside / name).exists()), beside / _VERIFICATION[0]
    )
    workload, decision, evidence = beside / "workload.json", beside / "decision.json", beside / "evidence.json"
    return StoredResult(
        where=str(file),
        measurements=measurements,
        workload=_loaded(workload, Workload),
        workload_sha256=_digest(workload),
        verification=_loaded(verification, VerificationReport),
        decision=read_bounded(decision) if decision.exists() else None,
        evidence=_loaded(evidence, Evidence) if _bundle(beside) else None,
        files=_files(beside) if _bundle(beside) else (),
    )


def _bundle(directory: Path) -> bool:
    # A run keeps its evidence too, but its documents under other names; there receipts hold the digests.
    return (directory / "evidence.json").exists() and not (directory / "evidence.receipt").exists()


def _loaded(path: Path, type_: type[T]) -> T | None:
    return load(path, type_) if path.exists() else None


def _digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(read_bounded(path)).hexdigest()}" if path.exists() else ""


def _files(directory: Path) -> tuple[FileChange, ...]:
    return tuple(
        FileChange(path=f"{DIRECTORY}/{path.name}", content=read_bounded(path, limit=_MOST_BYTES))
        for path in sorted(directory.glob("*.json"))
    )
