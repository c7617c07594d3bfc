"""Which answers of earlier runs may stand for this one. Pure, but for the port that keeps them.

Two kinds are kept. A whole report, by the digest of everything that went in: it answers without a compiler. And what
one kernel's guests said, by what the object does: a comment changes the source and the line numbers, not that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schedops.model.policy import ParamValue, PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import Check, ObjectRef, VerificationReport
from schedops.ports import KernelImage, Verdicts
from schedops.schema.canonical import digest_of
from schedops.schema.decode import encode

MARK = " (kept from an earlier run)"


def subject_digest(subject: PolicySource | PrebuiltPolicy) -> str:
    """Of the source with its description and headers, or of the object with what was declared of it."""
    if isinstance(subject, PolicySource):
        return digest_of(subject)
    elf = hashlib.sha256(subject.elf).hexdigest()
    return f"sha256:{_digest({'elf': elf, 'policy': encode(subject.policy)})}"


def whole_key(
    subject: PolicySource | PrebuiltPolicy,
    params: Sequence[ParamValue],
    images: Sequence[KernelImage],
    *,
    stages: Sequence[str],
    cpus: int,
    keep_going: bool,
    tools: Sequence[str],
) -> str:
    """Of a whole report.

    :param tools: versions of what builds and runs it.
    """
    return _digest(
        {
            "what": "report",
            "subject": subject_digest(subject),
            "path": subject.path,  # findings name it
            "params": [[param.name, param.value] for param in params],
            "kernels": [_kernel(image) for image in images],
            "stages": list(stages),
            "cpus": cpus,
            "keep_going": keep_going,
            "tools": list(tools),
        }
    )


@dataclass(frozen=True, slots=True)
class GuestKeys:
    """Keys of what one kernel's guests said.

    :param behaviour: for passes: what the object does, on which kernel, asked how.
    :param exact: for what has places in the source: the source as well.
    """

    behaviour: str
    exact: str


def guest_keys(
    subject: PolicySource | PrebuiltPolicy,
    behaviour: str,
    image: KernelImage,
    *,
    stages: Sequence[str],
    cpus: int,
    tools: Sequence[str],
) -> GuestKeys:
    """:param behaviour: digest of what the object does, parameters included."""
    asked = {
        "what": "guests",
        "behaviour": behaviour,
        "policy": encode(subject.policy),  # what it promises decides what is asked of it
        "kernel": _kernel(image),
        "stages": list(stages),
        "cpus": cpus,
        "tools": list(tools),
    }
    exact = {**asked, "subject": subject_digest(subject), "path": subject.path}
    return GuestKeys(_digest(asked), _digest(exact))


def simulation_keys(
    source: PolicySource, behaviour: str, params: Sequence[ParamValue], *, asked: Mapping[str, bool], clang: str
) -> GuestKeys:
    """Of what a simulation said.

    :param behaviour: digest of what its object does on some kernel.
    :param asked: how it was simulated.
    """
    inexact = {
        "what": "simulation",
        "behaviour": behaviour,
        "policy": encode(source.policy),
        "params": [[param.name, param.value] for param in params],
        **asked,
        "tools": [clang],
    }
    exact = {**inexact, "subject": subject_digest(source), "path": source.path}
    return GuestKeys(_digest(inexact), _digest(exact))


def find_guests(verdicts: Verdicts, keys: GuestKeys) -> tuple[Check, ...] | None:
    """What the guests said when they were asked the same."""
    for key in (keys.behaviour, keys.exact):
        if (report := verdicts.find(key)) is not None and is_settled(report.checks):
            return marked(report.checks)
    return None


def keep_guests(verdicts: Verdicts, keys: GuestKeys, report: VerificationReport) -> None:
    """Keep what is settled: under what it does when it passed and names no place, else with the source."""
    if is_settled(report.checks):
        verdicts.keep(keys.behaviour if _outlives_the_text(report.checks) else keys.exact, report)


def of_kernel(name: str, stages: Sequence[str], checks: Sequence[Check], reference: ObjectRef) -> VerificationReport:
    """Part of a report, as it is kept."""
    return VerificationReport(
        policy=name,
        source_sha256="",
        stages=tuple(stages),
        verdict=worst(check.verdict for check in checks),
        checks=tuple(checks),
        objects=(reference,),
    )


def is_settled(checks: Sequence[Check]) -> bool:
    """There are any, and each was measured and has a verdict: only then does another look give the same."""
    return bool(checks) and all(check.verdict in (Verdict.PASS, Verdict.FAIL) for check in checks)


def marked(checks: Iterable[Check]) -> tuple[Check, ...]:
    """With the word that they are not of now; seconds stay those that were measured."""
    return tuple(check if check.text.endswith(MARK) else replace(check, text=check.text + MARK) for check in checks)


def unmarked(checks: Iterable[Check]) -> tuple[Check, ...]:
    """As they were made."""
    return tuple(replace(check, text=check.text.removesuffix(MARK)) for check in checks)


def quietly(digest: Callable[[], str]) -> str | None:
    """A digest, or None where there is nothing to digest: then nothing is kept."""
    try:
        return digest()
    except ValueError:
        return None


def _outlives_the_text(checks: Sequence[Check]) -> bool:
    findings = (finding for check in checks for finding in check.findings)
    return all(check.verdict is Verdict.PASS for check in checks) and all(not finding.place for finding in findings)


def _kernel(image: KernelImage) -> list[str]:
    return [image.kernel.name, image.kernel.release, image.kernel.btf_sha256, image.kernel.vmlinux_sha256]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
