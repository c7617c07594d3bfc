"""Everything up to the decision: analyze, agent, verify, bench, gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief, Planner
from schedops.errors import Refused, SchedopsError, Unavailable, Undecided
from schedops.gate.decide import decide
from schedops.model.decision import Decision
from schedops.model.fleet import Fleet
from schedops.model.jobs import Hints
from schedops.model.measurements import Measurements
from schedops.model.plan import Plan
from schedops.model.policy import PolicySource
from schedops.model.profile import Profile
from schedops.model.search import Search
from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload
from schedops.pipeline.compare import Size, build, learn, sample
from schedops.pipeline.kernels import bench_kernel, fleet_kernels
from schedops.pipeline.learning import NOTHING_REMEMBERED, Memory
from schedops.pipeline.line import Line
from schedops.pipeline.planning import TRIALS, Planning, Trying
from schedops.pipeline.verification import verify_policy
from schedops.ports import KernelImage, World
from schedops.report import found
from schedops.schema.canonical import digest_of
from schedops.verify.stages import QUICK
from schedops.workloads.hints import merge_hints

PlannerFor = Callable[[KernelImage], Planner]
_DEPTH = QUICK  # what a proposal waits for; what merges is verified in full by whoever asks for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for; kept with the run, so that ``--resume`` asks for the same.

    :param group: host group that is to run the policy; None: the only one with this workload.
    :param kernel: where profile and bench run; None: the newest that the fleet names.
    :param scale: factor on the number of builds or short jobs.
    :param rounds: measured rounds at most; None: what the workload says.
    :param trials: candidates that are tried in the simulator; 0: none, rules alone decide.
    :param budget_s: seconds that this may take; 0: as many as needed.
    :param pathway: of a plan; None: whatever is best.
    :param agent: offline | anthropic | tuner | random | naive; the rest is for those that ask a model.
    :param model: None: the default one. :param budget_usd: of this run, and *budget_usd_day* of all runs of a day.
    """

    workload: str
    group: str | None
    kernel: str | None
    cpus: int
    scale: float
    rounds: int | None
    seed: int
    trials: int = TRIALS
    budget_s: float = 0.0
    pathway: str | None = None
    agent: str = "offline"
    model: str | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    budget_usd_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the repository says, read once before the first stage. *hints* and *memory*: of earlier runs."""

    workload: Workload
    fleet: Fleet
    policies: tuple[PolicySource, ...]
    hints: Hints | None
    memory: Memory = NOTHING_REMEMBERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Every document of the line. *hints*: earlier ones and this run's together."""

    profile: Profile
    hints: Hints
    plan: Plan
    source: PolicySource
    images: tuple[KernelImage, ...]
    image: KernelImage  # where it was profiled and measured
    verification: VerificationReport
    measurements: Measurements
    decision: Decision
    search: Search | None = None  # None: nothing was tried in the simulator


def measure(
    request: Request, inputs: Inputs, *, line: Line, world: World, planner: PlannerFor = lambda _: OfflinePlanner()
) -> Results:
    """Run the stages in order; the first that says no ends it.

    :param planner: for the kernel on which its plan is measured.
    :raises Unavailable: no kernel at hand, or it could not be measured.
    :raises Refused: a stage found a reason that ends the line, such as a policy that does not verify.
    :raises Undecided: the verification came to no verdict.
    """
    images, missing = fleet_kernels(inputs.fleet, world.kernels)
    image = bench_kernel(request.kernel, images, world.kernels)
    images = images if image in images else (*images, image)
    step = _Steps(request, inputs, line, world, planner(image))
    profile, hints = step.analyze(image)
    plan, source, search = step.plan(profile, hints)
    verification = step.verify(source, plan, images, missing)
    stop_unless_verified(verification)
    measurements = step.bench(source, plan, hints, image)
    return Results(
        profile=profile,
        hints=hints,
        plan=plan,
        source=source,
        images=images,
        image=image,
        verification=verification,
        measurements=measurements,
        decision=step.gate(source, measurements, verification),
        search=search,
    )


def stop_unless_verified(report: VerificationReport) -> None:
    """A policy that did not verify is not measured. The error says why."""
    if report.verdict is Verdict.PASS:
        return
    kind: type[SchedopsError] = {Verdict.FAIL: Refused, Verdict.INCONCLUSIVE: Undecided}.get(
        report.verdict, Unavailable
    )
    bad = [check for check in report.checks if check.verdict is report.verdict]
    first = bad[0] if bad else None
    finding = first.findings[0] if first and first.findings else None
    on = f" on {first.kernel}" if first and first.kernel else ""
    nothing = "not every stage ran" if report.checks else "nothing ran"
    raise kind(
        "not-verified",
        f"{report.policy} did not verify: {first.stage}{on}: {first.text}" if first else nothing,
        where=str(finding.place) if finding and finding.place else "",
        hint=f"schedops verify {report.policy}",
        detail=finding.advice if finding else "",
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    # One method a stage: which inputs its document depends on, how it is made, what is said about it.
    request: Request
    inputs: Inputs
    line: Line
    world: World
    planner: Planner

    def analyze(self, image: KernelImage) -> tuple[Profile, Hints]:
        made: list[tuple[Profile, Hints]] = []

        def both() -> tuple[Profile, Hints]:
            if not made:
                made.append(learn(self.inputs.workload, image, self._size(), world=self.world))
            return made[0]

        depends = {**self._situation(image), "hints": self._known()}
        profile = self.line.stage("analyze", "profile", depends, Profile, lambda: both()[0], found.profile)
        measured = self.line.stage("hints", "hints", depends, Hints, lambda: both()[1], found.hints)
        return profile, merge_hints(self.inputs.hints, measured) if self.inputs.hints else measured

    def plan(self, profile: Profile, hints: Hints) -> tuple[Plan, PolicySource, Search | None]:
        request, inputs = self.request, self.inputs
        brief = Brief(
            workload=inputs.workload,
            profile=profile,
            hints=hints,
            library=inputs.policies,
            history=inputs.memory.outcomes,
            lessons=inputs.memory.lessons,
            pathway=request.pathway,
        )
        trying = Trying(
            cpus=request.cpus,
            scale=request.scale,
            seed=request.seed,
            trials=request.trials,
            seconds=request.budget_s,
        )
        return Planning(brief=brief, trying=trying, line=self.line, world=self.world, planner=self.planner).run()

    def verify(
        self, source: PolicySource, plan: Plan, images: tuple[KernelImage, ...], missing: tuple[str, ...]
    ) -> VerificationReport:
        depends = {
            **_object_inputs(source, plan),
            "kernels": [image.kernel.btf_sha256 for image in images],
            "missing": list(missing),
            "stages": list(_DEPTH),
        }

        def make() -> VerificationReport:
            params = plan.params
            return verify_policy(self.world, source, params=params, images=images, missing=missing, stages=_DEPTH)

        return self.line.stage("verify", "verification", depends, VerificationReport, make, found.verification)

    def bench(self, source: PolicySource, plan: Plan, hints: Hints, image: KernelImage) -> Measurements:
        looks = self.inputs.workload.looks_until(self.request.rounds)
        depends = {
            **self._situation(image),
            **_object_inputs(source, plan),
            "hints": digest_of(hints),
            "looks": list(looks),
        }

        def make() -> Measurements:
            built = build(source, plan.params, image, world=self.world)
            size = self._size()
            workload = self.inputs.workload
            return sample(workload, source.policy, built, hints, image, size, looks=looks, world=self.world)

        return self.line.stage("bench", "measurements", depends, Measurements, make, found.measurements)

    def gate(self, source: PolicySource, measurements: Measurements, report: VerificationReport) -> Decision:
        depends = {
            "workload": digest_of(self.inputs.workload),
            "measurements": digest_of(measurements),
            "verification": digest_of(report),
        }

        def make() -> Decision:
            return decide(self.inputs.workload, source.policy.name, measurements, report)

        return self.line.stage("gate", "decision", depends, Decision, make, found.decision)

    def _situation(self, image: KernelImage) -> dict[str, object]:
        return {
            "workload": digest_of(self.inputs.workload),
            "kernel": image.kernel.vmlinux_sha256,
            "cpus": self.request.cpus,
            "scale": self.request.scale,
            "seed": self.request.seed,
        }

    def _size(self) -> Size:
        return Size(cpus=self.request.cpus, scale=self.request.scale, seed=self.request.seed)

    def _known(self) -> str:
        return digest_of(self.inputs.hints) if self.inputs.hints else ""


def source_digest(source: PolicySource) -> str:
    """Of everything that makes the object: description, source and headers."""
    return digest_of(source)


def _object_inputs(source: PolicySource, plan: Plan) -> dict[str, object]:
    return {"source": source_digest(source), "params": [[param.name, param.value] for param in plan.params]}
