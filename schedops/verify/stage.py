"""A policy through all stages: rules, an object for every kernel, a simulation, then guests. Source in, report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from schedops.model.event import Event
from schedops.model.policy import ParamValue, PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import Check, NotRun, ObjectRef, VerificationReport
from schedops.ports import Alone, Clock, Crew, KernelImage, Kernels, Machines, Progress, Simulator, Toolchain, Verdicts
from schedops.verify import compat, kept, static
from schedops.verify.dynamic.rules_charge import NOT_MEASURED
from schedops.verify.guests import Guests
from schedops.verify.kernel import Bench
from schedops.verify.simulated.kept import Simulation
from schedops.verify.stages import (
    COMPILE,
    FULL,
    IN_GUESTS,
    LAST_KERNEL,
    OBJECT,
    QUICK,
    SIMULATE,
    SOURCE,
    WITHOUT_KERNEL,
)
from schedops.verify.static import Static

CPUS = 2


def run(
    subject: PolicySource | PrebuiltPolicy,
    params: Sequence[ParamValue],
    images: Sequence[KernelImage],
    *,
    stages: Sequence[str] = QUICK,
    cpus: int = CPUS,
    keep_going: bool = False,
    missing: Sequence[str] = (),
    toolchain: Toolchain,
    machines: Machines,
    kernels: Kernels,
    clock: Clock,
    progress: Progress,
    crew: Crew | None = None,
    verdicts: Verdicts | None = None,
    simulator: Simulator | None = None,
    cached: bool = True,
) -> VerificationReport:
    """Every stage that is asked for, on every kernel; what was not run is not in the checks, and is never PASS.

    An error in a stage without guests ends it before any guest, a kernel that fails ends it before the next one.
    Progress is emitted as stage ``verify``; started and finished are the caller's.

    :param stages: those asked for, of :mod:`schedops.verify.stages`; an object has no use for the first two.
    :param keep_going: neither ends it: everything is run that can be.
    :param missing: kernels that were asked for and are not at hand; named in the report, never counted as verified.
    :param verdicts: what earlier runs found, added to by this one; *cached* False: not asked, but still added to.
    :param simulator: what it does not have does not spoil a verdict that guests give; without it nothing is simulated.
    :return: PASS only when every stage ran and passed on every kernel of *images*; without kernels ERROR.
    """
    source = subject if isinstance(subject, PolicySource) else _without_text(subject)
    bench = Bench(source, tuple(params), cpus, toolchain, machines, clock, progress)
    wanted = applicable(subject, stages)
    job = _Job(subject, bench, tuple(images), wanted, kernels, crew or Alone(), verdicts, keep_going, cached, simulator)
    checks, objects = job.static()
    simulated = job.simulated(objects) if job.goes_on(checks) else []
    checks += [one for one in simulated if isinstance(one, Check)]
    not_run = tuple(one for one in simulated if isinstance(one, NotRun))
    if job.goes_on(checks):
        checks += job.guests(objects)
    references = (one.reference for one in objects)
    return VerificationReport(
        policy=subject.policy.name,
        source_sha256=kept.subject_digest(subject),
        stages=wanted,
        verdict=verdict_of(checks, wanted, [image.kernel.name for image in images], not_run),
        checks=tuple(checks),
        objects=tuple(sorted((one for one in references if one), key=_by_kernel)),
        kernels_missing=tuple(sorted(missing)),
        not_run=not_run,
    )


def applicable(subject: PolicySource | PrebuiltPolicy, asked: Sequence[str]) -> tuple[str, ...]:
    """The stages of *asked* that there are for it, in their order: an object has no text and is compiled already."""
    useless = (SOURCE, COMPILE) if isinstance(subject, PrebuiltPolicy) else ()
    return tuple(stage for stage in FULL if stage in asked and stage not in useless)


def verdict_of(
    checks: Sequence[Check], wanted: Sequence[str], names: Sequence[str], not_run: Sequence[NotRun] = ()
) -> Verdict:
    """The worst of all; ERROR where a stage did not run and nothing else says why.

    :param not_run: stages that others stand in for: guests. Without any that is no pass either.
    """
    excused = {one.stage for one in not_run}
    verdict = worst(check.verdict for check in checks)
    ran = {(check.stage, check.kernel) for check in checks}
    on_each = [stage for stage in wanted if stage not in WITHOUT_KERNEL]
    due = {(stage, name) for stage in on_each for name in (names[-1:] if stage in LAST_KERNEL else names)}
    due |= {(stage, "") for stage in wanted if stage in WITHOUT_KERNEL and stage not in excused}
    nowhere = not names and any(stage not in WITHOUT_KERNEL for stage in wanted)
    if verdict is Verdict.PASS and (nowhere or not due <= ran):
        return Verdict.ERROR
    undecided = (bool(excused) or _unseen(checks)) and not set(wanted) & set(IN_GUESTS)
    return Verdict.INCONCLUSIVE if verdict is Verdict.PASS and undecided else verdict


def _unseen(checks: Sequence[Check]) -> bool:
    """What no simulation shows matters to the policy: without guests that is no pass."""
    notes = [one.rule for check in checks if check.stage == SIMULATE for one in check.findings]
    return NOT_MEASURED.id in notes


@dataclass(frozen=True, slots=True)
class _Job:
    subject: PolicySource | PrebuiltPolicy
    bench: Bench
    images: tuple[KernelImage, ...]
    wanted: tuple[str, ...]
    kernels: Kernels
    crew: Crew
    verdicts: Verdicts | None
    keep_going: bool
    cached: bool
    simulator: Simulator | None

    def static(self) -> tuple[list[Check], list[Static]]:
        """All of it, also after an error: together they are everything that can be said without a guest."""
        parts: list[Callable[[], Check | Static]] = []
        if SOURCE in self.wanted and isinstance(self.subject, PolicySource):
            parts.append(partial(static.check_source, self.bench, self.subject))
        if set(self.wanted) - {SOURCE}:
            on = partial(static.on_image, self.bench, self.subject, kernels=self.kernels, asked=self.wanted)
            parts += [partial(on, image) for image in self.images]
        self._say(f"what can be said of {self.subject.policy.name} without a guest")
        made = self.crew.each(_call, parts, at_once=self.crew.cores() + 1)  # the rules are over before a compiler
        objects = compat.told([one for one in made if isinstance(one, Static)], self.kernels)
        checks = [one for one in made if isinstance(one, Check)]
        checks += [check for one in objects for check in one.checks]
        if OBJECT in self.wanted:
            beside = static.between(self.bench, objects)
            checks += [beside] if beside is not None else []
        return checks, objects

    def goes_on(self, checks: Sequence[Check]) -> bool:
        """Each stage costs more than the one before it."""
        return self.keep_going or all(check.verdict is Verdict.PASS for check in checks)

    def simulated(self, objects: Sequence[Static]) -> list[Check | NotRun]:
        """The policy's own code on machines of many shapes; nothing where that is not asked for."""
        if SIMULATE not in self.wanted:
            return []
        source = self.subject if isinstance(self.subject, PolicySource) else None
        releases = tuple(image.kernel.release for image in self.images)
        asked = Simulation(
            source, self.bench, self.simulator, self.crew, self.verdicts, self.wanted, releases, self.cached
        )
        return [asked.run(next((one.built for one in objects if one.built is not None), None))]

    def guests(self, objects: Sequence[Static]) -> list[Check]:
        """The rest."""
        rest = tuple(stage for stage in self.wanted if stage in IN_GUESTS)
        if not rest:
            return []
        guests = Guests(
            self.subject, self.bench, rest, self.crew, self.verdicts, keep_going=self.keep_going, cached=self.cached
        )
        return guests.run(objects)

    def _say(self, text: str) -> None:
        self.bench.progress.emit(Event(kind="progress", stage="verify", text=text))


def _without_text(subject: PrebuiltPolicy) -> PolicySource:
    return PolicySource(policy=subject.policy, path=subject.path, text="")


def _call(part: Callable[[], Check | Static]) -> Check | Static:
    return part()


def _by_kernel(reference: ObjectRef) -> tuple[str, str]:
    return reference.kernel, reference.btf_sha256
