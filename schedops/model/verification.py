"""Whether a policy compiles, loads, takes charge, keeps tasks running and goes away cleanly."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """A compiler's message at a place in the source."""

    file: str
    line: int
    column: int
    severity: str  # error | warning
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltObject:
    """A compiled policy with its parameters set.

    :param elf: the object; never written into a document, its digest is.
    """

    elf: bytes
    sha256: str
    kernel: str
    warnings: tuple[SourceProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailure:
    """What the compiler (or the setting of a parameter) refused."""

    kernel: str
    problems: tuple[SourceProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One stage on one kernel.

    :param where: file:line:column, empty when the finding has no place in the source.
    """

    stage: str  # compile | load | enable | liveness | unload | kernel-log
    kernel: str
    verdict: Verdict
    text: str
    where: str = ""
    advice: str = ""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The object that was verified on a kernel."""

    kernel: str
    btf_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """All checks on all kernels. *kernels_missing*: wanted by the fleet file, not at hand, so not verified."""

    policy: str
    source_sha256: str
    verdict: Verdict
    checks: tuple[Check, ...]
    objects: tuple[ObjectRef, ...]
    kernels_missing: tuple[str, ...] = ()
