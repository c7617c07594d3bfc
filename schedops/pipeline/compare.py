"""The two halves of the line that are useful alone: a profile, and a comparison without a pull request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schedops.analyze import stage as analyze
from schedops.bench import stage as bench
from schedops.bench.programs import Installed
from schedops.errors import Refused
from schedops.gate.decide import measured
from schedops.model.decision import Decision
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.measurements import FRESH, Measurements
from schedops.model.policy import ParamValue, Policy, PolicySource
from schedops.model.profile import Profile
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.model.workload import Workload
from schedops.pipeline.prepared import prepared, taught
from schedops.ports import KernelImage, World
from schedops.report import found

Judged = Callable[[Measurements], Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a run is.

    :param scale: factor on the number of builds or short jobs.
    """

    cpus: int
    scale: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Raw samples and what they alone say."""

    measurements: Measurements
    decision: Decision


def profile(workload: Workload, image: KernelImage, size: Size, *, world: World) -> tuple[Profile, Hints]:
    """Run the workload once under the default scheduler. Raises as :func:`schedops.analyze.stage.run`."""
    _tell(world, "started", "analyze", f"{workload.name} on {image.kernel.name}, {size.cpus} CPUs")
    started_s = world.clock.monotonic_s()
    learnt = learn(workload, image, size, world=world)
    _tell(world, "finished", "analyze", found.profile(learnt[0]), world.clock.monotonic_s() - started_s)
    return learnt


def compare(
    workload: Workload,
    source: PolicySource,
    built: BuiltObject | None,
    hints: Hints | None,
    image: KernelImage,
    size: Size,
    *,
    looks: tuple[int, ...],
    world: World,
    origin: str = FRESH,
    judged: Judged | None = None,
    installed: Installed | None = None,
) -> Comparison:
    """Measure the three arms and judge the measurements alone. Raises as :func:`schedops.bench.stage.run`.

    :param built: None compares the default scheduler with itself.
    :param looks: after how many rounds it may end, because the answer is clear; the last look is the end.
    :param judged: who judges; by default :func:`schedops.gate.decide.measured`.
    :param installed: the workload's real programs run; None: its model's jobs.
    """
    judged = judged or _measured(workload, source.policy)
    text = f"{source.policy.name} on {workload.name}, {looks_in_words(looks)} rounds of three arms"
    _tell(world, "started", "bench", text)
    measurements = sample(
        workload,
        source.policy,
        built,
        hints,
        image,
        size,
        looks=looks,
        world=world,
        origin=origin,
        judged=judged,
        installed=installed,
    )
    _tell(world, "finished", "bench", found.measurements(measurements), measurements.seconds)
    return Comparison(measurements=measurements, decision=judged(measurements))


def looks_in_words(looks: Sequence[int]) -> str:
    """``10, 20 or 30``."""
    *some, last = map(str, looks)
    return f"{', '.join(some)} or {last}" if some else last


def learn(workload: Workload, image: KernelImage, size: Size, *, world: World) -> tuple[Profile, Hints]:
    """:func:`schedops.analyze.stage.run` with the ports of *world*."""
    return analyze.run(
        workload,
        image,
        cpus=size.cpus,
        seed=size.seed,
        scale=size.scale,
        machines=world.machines,
        clock=world.clock,
        progress=world.progress,
    )


def sample(
    workload: Workload,
    policy: Policy,
    built: BuiltObject | None,
    hints: Hints | None,
    image: KernelImage,
    size: Size,
    *,
    looks: tuple[int, ...],
    world: World,
    origin: str = FRESH,
    judged: Judged | None = None,
    installed: Installed | None = None,
) -> Measurements:
    """:func:`schedops.bench.stage.run` with the ports of *world*; over when *judged* comes to a verdict."""
    judge = judged or _measured(workload, policy)
    return bench.run(
        workload,
        policy,
        built,
        hints,
        image,
        cpus=size.cpus,
        looks=looks,
        # Not the seed of the profile: hints must predict runs that they were not learnt from.
        seed=size.seed + 1,
        scale=size.scale,
        machines=world.machines,
        clock=world.clock,
        progress=world.progress,
        host=world.host,
        settled=lambda measurements: judge(measurements).verdict is not Verdict.INCONCLUSIVE,
        origin=origin,
        installed=installed,
    )


def learn_programs(workload: Workload, installed: Installed, image: KernelImage, size: Size, *, world: World) -> Hints:
    """Run its real programs once under the default scheduler. Raises as :func:`schedops.pipeline.prepared.taught`."""
    _tell(world, "started", "analyze", f"how long the programs of {workload.name} take")
    started_s = world.clock.monotonic_s()
    load = bench.load_of(workload, cpus=size.cpus, scale=size.scale, installed=installed)
    with prepared(load, image, cpus=size.cpus, world=world) as guest:
        hints = taught(load, guest, seed=size.seed, world=world)
    _tell(world, "finished", "analyze", found.hints(hints), world.clock.monotonic_s() - started_s)
    return hints


def _measured(workload: Workload, policy: Policy) -> Judged:
    return lambda measurements: measured(workload, policy.name, measurements)


def build(source: PolicySource, params: Sequence[ParamValue], image: KernelImage, *, world: World) -> BuiltObject:
    """Compile for one kernel. :raises Refused: ``not-built`` with the compiler's words."""
    built = world.toolchain.build(source, params, image)
    if isinstance(built, BuildFailure):
        lines = [f"{p.file}:{p.line}:{p.column}: {p.severity}: {p.text}" for p in built.problems[:20]]
        raise Refused(
            "not-built",
            f"{source.policy.name} does not compile for {image.kernel.name}",
            where=source.path,
            hint=f"schedops verify {source.policy.name}",
            detail="\n".join(lines),
        )
    return built


def _tell(world: World, kind: str, stage: str, text: str, seconds: float | None = None) -> None:
    world.progress.emit(Event(kind=kind, stage=stage, text=text, seconds=seconds))
