"""A policy on every kernel at hand: compile, load, enable, live, unload, read the log. Source in, report out."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.event import Event
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import ObjectRef, VerificationReport
from schedops.ports import Clock, KernelImage, Machines, Progress, Toolchain
from schedops.schema.canonical import digest_of
from schedops.verify.kernel import Bench, KernelOutcome, on_kernel
from schedops.verify.record import STAGES

CPUS = 2


def run(
    source: PolicySource,
    params: Sequence[ParamValue],
    images: Sequence[KernelImage],
    *,
    cpus: int = CPUS,
    missing: Sequence[str] = (),
    toolchain: Toolchain,
    machines: Machines,
    clock: Clock,
    progress: Progress,
) -> VerificationReport:
    """Every stage on every kernel; on each kernel the first stage that fails is the last.

    Progress is emitted as stage ``verify``; started and finished are the caller's.

    :param missing: kernels that were asked for and are not at hand; named in the report, never counted as verified.
    :return: PASS only when every stage ran and passed on every kernel of *images*; without kernels ERROR.
    """
    bench = Bench(source, tuple(params), cpus, toolchain, machines, clock, progress)
    outcomes = []
    for done, image in enumerate(images):
        text = f"{source.policy.name} on {image.kernel.name}"
        progress.emit(Event(kind="progress", stage="verify", text=text, fraction=done / len(images)))
        outcomes.append(on_kernel(bench, image))
    return VerificationReport(
        policy=source.policy.name,
        source_sha256=digest_of(source),
        stages=STAGES,
        verdict=worst(_verdict(outcome) for outcome in outcomes),
        checks=tuple(check for outcome in outcomes for check in outcome.checks),
        objects=tuple(sorted((o.object for o in outcomes if o.object), key=_by_kernel)),
        kernels_missing=tuple(sorted(missing)),
    )


def _verdict(outcome: KernelOutcome) -> Verdict:
    """A stage that did not run, without another that says why, is an error of ours and no PASS."""
    verdict = worst(check.verdict for check in outcome.checks)
    ran = tuple(check.stage for check in outcome.checks)
    return Verdict.ERROR if verdict is Verdict.PASS and ran != STAGES else verdict


def _by_kernel(reference: ObjectRef) -> tuple[str, str]:
    return reference.kernel, reference.btf_sha256
