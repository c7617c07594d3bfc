"""The bundle that goes with a pull request: which documents, made by what, from what, at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.kernel import Kernel
from schedops.model.verification import ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """A document of the bundle and the digest of its canonical bytes."""

    kind: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCost:
    """What a stage cost. *reused*: an earlier run with the same inputs was taken instead."""

    stage: str
    seconds: float
    usd: float
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What made the evidence."""

    schedops: str  # version
    schedops_sha256: str  # of the package's own files
    clang: str
    bpftool: str
    qemu: str
    accelerator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """:param base_commit: the commit the proposal was made against."""

    workload: str
    workload_sha256: str
    policy: str
    policy_sha256: str
    base_commit: str
    tools: Tools
    kernels: tuple[Kernel, ...]
    objects: tuple[ObjectRef, ...]
    documents: tuple[DocumentRef, ...]
    costs: tuple[StageCost, ...]
    created: str  # ISO 8601, UTC
