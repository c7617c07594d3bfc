"""The documents of a run as attachments, and the Evidence over them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from schedops.model.evidence import DocumentRef, Evidence, StageCost, Tools
from schedops.model.kernel import Kernel
from schedops.model.pull import FileChange
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload
from schedops.schema.canonical import canonical_bytes, digest_of
from schedops.schema.registry import kind_of, schema_file

DIRECTORY = "evidence"


def bundle(
    workload: Workload,
    verification: VerificationReport,
    documents: Sequence[Any],
    *,
    base_commit: str,
    tools: Tools,
    kernels: Iterable[Kernel],
    costs: Iterable[StageCost],
    created: str,
) -> Evidence:
    """Evidence over *documents* (Workload and VerificationReport among them or not; both are always in).

    :param created: ISO 8601, UTC. Equal inputs give equal bytes, so it is given and not asked of a clock.
    :raises ValueError: two documents of one kind, or a value that is no document.
    """
    return Evidence(
        workload=workload.name,
        workload_sha256=digest_of(workload),
        policy=verification.policy,
        policy_sha256=verification.source_sha256,
        base_commit=base_commit,
        tools=tools,
        kernels=tuple(sorted(kernels, key=lambda kernel: (kernel.name, kernel.btf_sha256))),
        objects=tuple(sorted(verification.objects, key=lambda ref: (ref.kernel, ref.btf_sha256))),
        documents=tuple(_reference(file, value) for file, value in _named([workload, verification, *documents])),
        costs=tuple(costs),
        created=created,
    )


def attachments(documents: Iterable[Any], evidence: Evidence) -> tuple[FileChange, ...]:
    """Every document of *evidence* and itself, as the exact bytes that were digested.

    :raises ValueError: a document that the evidence names is missing or is another one.
    """
    files = tuple(
        FileChange(path=file, content=canonical_bytes(value)) for file, value in _named([*documents, evidence])
    )
    if wrong := mismatches(evidence, files):
        raise ValueError("; ".join(wrong))
    return files


def mismatches(evidence: Evidence, files: Iterable[FileChange]) -> tuple[str, ...]:
    """What of the evidence is missing in *files* or has another digest; empty when all is as it says."""
    have = {file.path: f"sha256:{hashlib.sha256(file.content).hexdigest()}" for file in files}
    missing = [f"{ref.file} is missing" for ref in evidence.documents if ref.file not in have]
    other = [
        f"{ref.file} is {have[ref.file]}, not {ref.sha256}"
        for ref in evidence.documents
        if have.get(ref.file, ref.sha256) != ref.sha256
    ]
    return (*missing, *other)


def _named(values: Iterable[Any]) -> list[tuple[str, Any]]:
    named: dict[str, Any] = {}
    for value in values:
        kind = kind_of(type(value))
        if kind is None:
            raise ValueError(f"{type(value).__name__} is no document")
        file = f"{DIRECTORY}/{schema_file(kind).removesuffix('.schema.json')}.json"
        if named.setdefault(file, value) != value:
            raise ValueError(f"two different documents of kind {kind}")
    return sorted(named.items())


def _reference(file: str, value: Any) -> DocumentRef:
    return DocumentRef(kind=type(value).__name__, file=file, sha256=digest_of(value))
