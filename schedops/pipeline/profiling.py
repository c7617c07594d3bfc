"""A look at a workload as dear as it has to be: what is known, then one run, then a run under probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from schedops.analyze.costs import IDEAL_S, cost_of, ideal_s, scales_of
from schedops.analyze.judge import CLEAR
from schedops.analyze.stage import require_default
from schedops.analyze.summary import summary_classes, summary_figures, topology_words
from schedops.analyze.words import words
from schedops.errors import GuestLost, InputError, Unavailable
from schedops.model.accounting import Accounting
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.machine import flat_machine
from schedops.model.profile import TIERS, Missing, Profile
from schedops.model.simulation import SimVerdict
from schedops.model.workload import Workload
from schedops.pipeline.profiled import Looked, Ran, profiled
from schedops.ports import Guest, Host, KernelImage, World
from schedops.report import found as in_words
from schedops.sim.programs.plan import Planned, planned

DEADLINE_S = 180.0  # of one play
SLOTS = 400  # of the probes' time line; they keep 512
MS = 1_000_000
LEAST_SLOT_NS = 5 * MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to look.

    :param tier: of :data:`schedops.model.profile.TIERS`; None: until the class is clear.
    :param budget_s: no tier is begun that is expected to end later; None: no limit.
    :param scale: factor on how much there is to do; None: so much that a run takes a few seconds.
    """

    cpus: int
    seed: int
    tier: str | None = None
    budget_s: float | None = None
    scale: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What earlier runs left. *profile*: the last one of the very same workload on so many CPUs."""

    profile: Profile | None = None
    hints: Hints | None = None


def look(
    workload: Workload,
    image: Callable[[], KernelImage],
    probes: Callable[[KernelImage], bytes],
    asked: Asked,
    *,
    world: World,
    history: History,
) -> Looked:
    """Look at a workload until its class is clear, or as far as was asked.

    :param image: which kernel; not asked for without a run.
    :param probes: the probes built for it; not asked for without them.
    :raises InputError: what is wrong with the workload; ``over-budget``: an asked tier is expected to cost more.
    :raises Unavailable: ``play-failed``, ``not-default``, or no guest.
    """
    run, scale = _plan(workload, asked)
    if history.profile is not None and history.profile.scale != scale:
        history = replace(history, profile=None)
    first = _summary(workload, run, asked, scale, history, world.host)
    if not _goes_on(first, asked, run, history, spent_s=0.0):
        return first
    for attempt in (1, 2):
        try:
            return _measured(workload, image(), probes, run, scale, asked, world=world, history=history)
        except GuestLost as gone:
            if attempt == 2:
                raise
            world.progress.emit(Event(kind="note", stage="analyze", text=f"{gone.message}; tried once more"))
    raise AssertionError("the second attempt returns or raises")


def _plan(workload: Workload, asked: Asked) -> tuple[Planned, float]:
    def at(scale: float) -> Planned:
        machine = flat_machine(asked.cpus)
        return planned(workload, machine=machine, seed=asked.seed, arm="candidate", scale=scale)

    if asked.scale is not None:
        return at(asked.scale), asked.scale
    scales = scales_of(workload)
    for scale in scales:
        run = at(scale)
        if ideal_s(run.plan, asked.cpus) <= IDEAL_S:
            return run, scale
    return run, scales[-1]


def _summary(
    workload: Workload, run: Planned, asked: Asked, scale: float, history: History, host: Host | None
) -> Looked:
    classes = summary_classes(workload, run.plan, asked.cpus, history.profile)
    profile = Profile(
        workload=workload.name,
        kernel="none",
        cpus=asked.cpus,
        seed=asked.seed,
        accelerator="none",
        figures=summary_figures(workload, run.plan, history.hints, ideal_s(run.plan, asked.cpus)),
        classes=classes,
        cpu_ms_quantiles=(),
        tier="summary",
        scale=scale,
        missing=(Missing(what="everything measured", reason="nothing was run: tier summary"),),
        costs=(cost_of("summary", run.plan, asked.cpus), cost_of("profile", run.plan, asked.cpus, history.profile)),
    )
    said = words(profile)
    if host is not None:
        said = f"{said} {topology_words(host.facts())}"
    return Looked(profile=replace(profile, words=said), weighed=())


def _goes_on(so_far: Looked, asked: Asked, run: Planned, history: History, *, spent_s: float) -> bool:
    """Not deep enough yet, nor clear enough, nor is the next tier too dear."""
    at = TIERS.index(so_far.profile.tier)
    if at + 1 == len(TIERS) or so_far.profile.tier == asked.tier:
        return False
    confidence = so_far.profile.classes[0].confidence
    if asked.tier is None and confidence is not None and confidence >= CLEAR:
        return False
    tier = asked.tier or TIERS[at + 1]
    cost = cost_of(tier, run.plan, asked.cpus, history.profile)
    if asked.budget_s is not None and max(cost.seconds, spent_s) > asked.budget_s:
        if asked.tier is not None:
            raise InputError(
                "over-budget",
                f"tier {tier} is expected to take {cost.seconds:.1f} s ({cost.how}), --budget-s is {asked.budget_s:g}",
                hint="a larger --budget-s, a smaller --scale, or no --tier",
            )
        return False
    return True


def _measured(
    workload: Workload,
    image: KernelImage,
    probes: Callable[[KernelImage], bytes],
    run: Planned,
    scale: float,
    asked: Asked,
    *,
    world: World,
    history: History,
) -> Looked:
    text = f"{workload.name} on {image.kernel.name}, {asked.cpus} CPUs, scale {scale:g}"
    world.progress.emit(Event(kind="started", stage="analyze", text=text))
    began_s = world.clock.monotonic_s()

    def told(plain: Ran, probed: Ran | None) -> Looked:
        return profiled(
            run,
            plain,
            probed,
            scale=scale,
            kernel=image.kernel.name,
            accelerator=world.machines.accelerator().name,
            today=world.clock.now_utc()[:10],
        )

    with world.machines.boot(image, cpus=asked.cpus) as guest:
        plain = _played(guest, run, None, world, began_s)
        looked = told(plain, None)
        if _goes_on(looked, asked, run, history, spent_s=plain.seconds):
            world.progress.emit(Event(kind="note", stage="analyze", text="once more, under probes"))
            slot_ns = max(LEAST_SLOT_NS, 3 * plain.reading.wall_ns // SLOTS // MS * MS)
            probed = _played(guest, run, (probes(image), slot_ns), world, began_s)
            looked = told(plain, probed)
    seconds = world.clock.monotonic_s() - began_s
    world.progress.emit(Event(kind="finished", stage="analyze", text=in_words.profile(looked.profile), seconds=seconds))
    return looked


def _played(guest: Guest, run: Planned, probes: tuple[bytes, int] | None, world: World, began_s: float) -> Ran:
    require_default(guest)
    since_s = world.clock.monotonic_s()  # the guest looks at its clock as soon as it is asked, both times
    before = guest.accounting()
    if probes is not None:
        elf, slot_ns = probes
        guest.probe_start(elf, slot_ns=slot_ns)
    reading = guest.play(run.plan, name_seed=0, deadline_s=DEADLINE_S)
    probed = guest.probe_stop() if probes is not None else None
    harness_s = world.clock.monotonic_s() - since_s
    spent = _between(before, guest.accounting())
    require_default(guest)
    if reading.result.end.verdict != SimVerdict.DONE:
        raise Unavailable(
            "play-failed",
            f"the run ended as {reading.result.end.verdict} after {reading.wall_ns / 1e9:.1f} s"
            f" {reading.result.end.message}".rstrip(),
            where=f"analyze of {run.workload.name}",
            hint="a smaller --scale" if reading.result.end.verdict == SimVerdict.LATE else "",
        )
    seconds = world.clock.monotonic_s() - began_s
    return Ran(reading=reading, spent=spent, seconds=seconds, harness_s=harness_s, probed=probed)


def _between(before: Accounting, after: Accounting) -> Accounting:
    try:
        return after.since(before)
    except ValueError as error:
        raise Unavailable("bad-reading", f"the guest's accounting cannot be: {error}") from None
