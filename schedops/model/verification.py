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
    :param jail: what kept the compiler from the rest of the machine; empty when nobody compiled.
    """

    elf: bytes
    sha256: str
    kernel: str
    warnings: tuple[SourceProblem, ...] = ()
    jail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailure:
    """What the compiler (or the setting of a parameter) refused."""

    kernel: str
    problems: tuple[SourceProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a source. *line* and *column* from 1; line 0: the file as a whole."""

    file: str
    line: int = 0
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a rule found.

    :param rule: id of the rule, such as ``DSQ-NOT-CONSUMED``; `schedops verify --explain` knows them all.
    :param level: error (the policy does not pass) | warning | note.
    :param text: what was found and what comes of it, one or two sentences; untrusted where it quotes.
    :param advice: what to do about it; may be empty.
    """

    rule: str
    level: str
    text: str
    place: Place | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One stage on one kernel.

    :param kernel: empty for a stage that needs none.
    :param text: what came out, in one line.
    :param findings: errors first; a FAIL has at least one error, a PASS has none.
    """

    stage: str  # one of schedops.verify.stages
    kernel: str
    verdict: Verdict
    text: str
    seconds: float
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A stage that was asked for and cannot be run on this policy, which is neither good nor bad: others decide.

    :param text: why, in one line: by name what is missing.
    """

    stage: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The object that was verified on a kernel."""

    kernel: str
    btf_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """All checks on all kernels.

    :param source_sha256: digest of the source, or of the object when that is what was given.
    :param stages: those that were asked for, in order; the verdict speaks of these only.
    :param kernels_missing: wanted by the fleet file, not at hand, so not verified.
    :param not_run: stages of *stages* that have no check, and why that does not spoil the verdict.
    """

    policy: str
    source_sha256: str
    stages: tuple[str, ...]
    verdict: Verdict
    checks: tuple[Check, ...]
    objects: tuple[ObjectRef, ...]
    kernels_missing: tuple[str, ...] = ()
    not_run: tuple[NotRun, ...] = ()
