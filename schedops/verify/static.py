"""The stages that start no guest: rules on the source, the compiler, rules on the object and between the objects."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schedops.errors import InputError, Unavailable
from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, BuiltObject, Check, Finding, ObjectRef, Place
from schedops.ports import KernelImage, Kernels
from schedops.verify import stages
from schedops.verify.kernel import Bench
from schedops.verify.record import Record

if TYPE_CHECKING:
    from schedops.verify.object.elf import ObjectFacts


@dataclass(frozen=True, slots=True)
class Static:
    """What became of a policy on one kernel before any guest.

    :param built: None when there is no object to go on with.
    :param facts: None when it was not looked into, or could not be.
    """

    image: KernelImage
    checks: tuple[Check, ...]
    built: BuiltObject | None = None
    facts: ObjectFacts | None = None

    @property
    def reference(self) -> ObjectRef | None:
        """The object, if there is one."""
        if self.built is None:
            return None
        kernel = self.image.kernel
        return ObjectRef(kernel=kernel.name, btf_sha256=kernel.btf_sha256, sha256=self.built.sha256)


def check_source(bench: Bench, source: PolicySource) -> Check:
    """The rules on the text, once for all kernels."""
    from schedops.verify.source.check import check_source as findings_in  # noqa: PLC0415 - tree-sitter is for here only
    from schedops.verify.source.rules import RULES  # noqa: PLC0415 - as above

    record = _record(bench, "")
    record.add_findings(stages.SOURCE, findings_in(source), looked_at=f"{len(RULES)} rules")
    return record.checks[0]


def on_image(
    bench: Bench, subject: PolicySource | PrebuiltPolicy, image: KernelImage, *, kernels: Kernels, asked: Sequence[str]
) -> Static:
    """Compile it for this kernel and look at the object. Never raises for what the policy or the machine did."""
    record = _record(bench, image.kernel.name)
    built = _build(bench, subject, image, record)
    if built is None or stages.OBJECT not in asked:
        return Static(image, tuple(record.checks), built)
    facts = _look_into(built, subject, image, kernels, record)
    return Static(image, tuple(record.checks), built, facts)


def between(bench: Bench, objects: Sequence[Static]) -> Check | None:
    """The objects of all kernels beside each other; None when there are not two."""
    from schedops.verify.object.differ import differences  # noqa: PLC0415 - only objects need it

    facts = {one.image.kernel.name: one.facts for one in objects if one.facts is not None}
    if len(facts) < 2:
        return None
    record = _record(bench, "")
    record.add_findings(stages.OBJECT, differences(facts), looked_at=f"{len(facts)} kernels' objects side by side")
    return record.checks[0]


def _build(
    bench: Bench, subject: PolicySource | PrebuiltPolicy, image: KernelImage, record: Record
) -> BuiltObject | None:
    if isinstance(subject, PrebuiltPolicy):
        digest = hashlib.sha256(subject.elf).hexdigest()
        return BuiltObject(elf=subject.elf, sha256=digest, kernel=image.kernel.name)
    try:
        built = bench.toolchain.build(subject, bench.params, image)
    except Unavailable as error:
        record.put(stages.COMPILE, Verdict.ERROR, _words(error), (_not_measured(error),))
        return None
    if isinstance(built, BuildFailure):
        record.add_failure(built)
        return None
    record.add_built(built)
    return built


def _look_into(
    built: BuiltObject, subject: PolicySource | PrebuiltPolicy, image: KernelImage, kernels: Kernels, record: Record
) -> ObjectFacts | None:
    from schedops.verify.object import check  # noqa: PLC0415 - only objects need it
    from schedops.verify.object.elf import BadObject, inspect  # noqa: PLC0415 - as above

    try:
        facts = inspect(built.elf)
    except BadObject as bad:
        finding = Finding(rule="OBJ-MALFORMED", level="error", text=str(bad), place=Place(file=subject.path))
        record.add_findings(stages.OBJECT, (finding,), looked_at="")
        return None
    try:
        api = kernels.api(image)
    except InputError as error:
        record.put(stages.OBJECT, Verdict.ERROR, _words(error), (_not_measured(error),))
        return None
    findings = check.check_object(facts, subject.policy, api)
    record.add_findings(stages.OBJECT, findings, looked_at=f"{len(check.RULES)} rules")
    return facts


def _record(bench: Bench, kernel: str) -> Record:
    return Record(bench.source, kernel, bench.clock, bench.clock.monotonic_s())


def _words(error: Unavailable | InputError) -> str:
    return f"{error.message} ({error.code})"


def _not_measured(error: Unavailable | InputError) -> Finding:
    return Finding(rule="NOT-MEASURED", level="note", text=_words(error), advice=error.hint)
