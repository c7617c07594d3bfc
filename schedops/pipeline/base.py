"""A verified policy beside an object that is known to be good (``--base``), on each kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedops.errors import Unavailable
from schedops.model.event import Event
from schedops.model.guest import AttachReading
from schedops.model.policy import ParamValue, PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import BuildFailure, Check, Finding, VerificationReport
from schedops.ports import KernelImage, World
from schedops.verify import stages
from schedops.verify.dynamic.rules_charge import NOT_MEASURED
from schedops.verify.growth import compared

_ATTACH_S = 20.0


def against_base(
    joined: World,
    report: VerificationReport,
    subject: PolicySource | PrebuiltPolicy,
    base: PrebuiltPolicy,
    images: Sequence[KernelImage],
    *,
    params: Sequence[ParamValue] = (),
    cpus: int = 2,
) -> VerificationReport:
    """The report with a check more for each kernel that the policy was loaded on; each costs two guests."""
    loaded = {check.kernel for check in report.checks if check.stage == stages.LOAD}
    checks = list(report.checks)
    for image in images:
        if image.kernel.name in loaded:
            text = f"{subject.policy.name} and {base.path} on {image.kernel.name}"
            joined.progress.emit(Event(kind="progress", stage="verify", text=text))
            checks.append(_check(joined, subject, base, image, params, cpus))
    verdict = worst((report.verdict, *(check.verdict for check in checks[len(report.checks) :])))
    return replace(report, checks=tuple(checks), verdict=verdict)


def _check(
    joined: World,
    subject: PolicySource | PrebuiltPolicy,
    base: PrebuiltPolicy,
    image: KernelImage,
    params: Sequence[ParamValue],
    cpus: int,
) -> Check:
    since_s = joined.clock.monotonic_s()
    try:
        elf = _object(joined, subject, params, image)
        policy, other = (_attached(joined, one, image, cpus) for one in (elf, base.elf))
        found = compared(policy, other, name=base.path)
        verdict, text, findings = found.verdict, found.text, found.findings
    except Unavailable as error:
        verdict, text = Verdict.ERROR, f"not compared with {base.path}: {error.message} ({error.code})"
        findings = (Finding(rule=NOT_MEASURED.id, level="note", text=text, advice=error.hint),)
    return Check(
        stage=stages.LOAD,
        kernel=image.kernel.name,
        verdict=verdict,
        text=text,
        seconds=round(joined.clock.monotonic_s() - since_s, 3),
        findings=findings,
    )


def _object(
    joined: World, subject: PolicySource | PrebuiltPolicy, params: Sequence[ParamValue], image: KernelImage
) -> bytes:
    if isinstance(subject, PrebuiltPolicy):
        return subject.elf
    built = joined.toolchain.build(subject, params, image)
    if isinstance(built, BuildFailure):
        raise Unavailable("not-built", "it compiled a moment ago, and now it does not")
    return built.elf


def _attached(joined: World, elf: bytes, image: KernelImage, cpus: int) -> AttachReading:
    with joined.machines.boot(image, cpus=cpus) as guest:
        return guest.attach(elf, deadline_s=_ATTACH_S)
