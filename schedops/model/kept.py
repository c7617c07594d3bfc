"""A stage's result as a run keeps it, and a comparison as it was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schedops.model.evidence import Evidence
from schedops.model.measurements import Measurements
from schedops.model.pull import FileChange
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """:param value: the stage's document.
    :param seconds: what making it took.
    :param usd: what making it cost.
    """

    value: Any
    seconds: float
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """Measurements with what lay beside them; None: nothing of that kind did.

    :param where: the measurements' file.
    :param workload_sha256: of the workload's own bytes; empty without one.
    :param decision: its bytes.
    :param files: what *evidence* names, by the paths it has there.
    """

    where: str
    measurements: Measurements
    workload: Workload | None = None
    workload_sha256: str = ""
    verification: VerificationReport | None = None
    decision: bytes | None = None
    evidence: Evidence | None = None
    files: tuple[FileChange, ...] = ()
