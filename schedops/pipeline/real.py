"""Real programs of a workload in a guest: under the default scheduler, and under a policy beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schedops.bench.run import ATTACH_S, DETACH_S
from schedops.errors import Refused, Unavailable
from schedops.model.event import Event
from schedops.model.measurements import MetricValue
from schedops.model.programs import ProgramPlan
from schedops.model.verification import BuiltObject
from schedops.model.workload import Workload
from schedops.model.workload_real import RealPrograms
from schedops.ports import Guest, KernelImage, World
from schedops.workloads.real import kinds_of, program_plan, real_metrics, why_undone

STAGE = "run"
_PREPARE_S = 300.0
_RUN_S = 300.0
DEFAULT = "eevdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRun:
    """One run. *why_undone* is empty when the work was done; else there are no metrics.

    :param arm: ``eevdf`` or the policy's name.
    """

    arm: str
    number: int
    seconds: float
    metrics: tuple[MetricValue, ...]
    why_undone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSize:
    """:param runs: of each arm."""

    cpus: int
    scale: float
    seed: int
    runs: int


def run_real(
    workload: Workload,
    real: RealPrograms,
    archive: Path,
    image: KernelImage,
    size: RealSize,
    *,
    world: World,
    policy: BuiltObject | None = None,
    policy_name: str = "",
) -> tuple[RealRun, ...]:
    """Prepare once, then run every arm *size.runs* times in one boot, in alternating order.

    :param archive: the programs, as :attr:`schedops.ports.Machines.boot` wants them.
    :raises Unavailable: preparing failed, or a run of the default scheduler never did its work.
    :raises Refused: the policy does not attach. :raises GuestLost: the guest is gone.
    """
    arms = [(DEFAULT, None)] if policy is None else [(DEFAULT, None), (policy_name, policy)]
    runs: list[RealRun] = []
    with world.machines.boot(image, cpus=size.cpus, programs=archive) as guest:
        _say(world, f"preparing {workload.name}")
        if real.prepare:
            guest.run_programs(ProgramPlan(shell=real.prepare), deadline_s=_PREPARE_S)
        for number in range(size.runs):
            order = arms if number % 2 == 0 else arms[::-1]
            for arm, built in order:
                with _in_charge(guest, arm, built):
                    runs.append(_run(guest, real, arm, number, size, world))
                share = len(runs) / (size.runs * len(arms))
                _say(world, f"{workload.name}, {arm}, run {number + 1}", share)
    _check(runs, workload)
    return tuple(runs)


def _run(guest: Guest, real: RealPrograms, arm: str, number: int, size: RealSize, world: World) -> RealRun:
    kinds = kinds_of(real, cpus=size.cpus, scale=size.scale)
    plan = program_plan(
        real, cpus=size.cpus, scale=size.scale, name_seed=size.seed * 1000 + 2 * number + (arm != DEFAULT)
    )
    started = world.clock.monotonic_s()
    reading = guest.run_programs(plan, deadline_s=_RUN_S)
    seconds = world.clock.monotonic_s() - started
    if reading is None:
        raise AssertionError("a plan with jobs has a reading")
    undone = why_undone(kinds, plan, reading) or _undone_after(guest, real)
    metrics = () if undone else real_metrics(real, kinds, plan, reading, cpus=size.cpus)
    return RealRun(arm=arm, number=number, seconds=seconds, metrics=metrics, why_undone=undone)


def _undone_after(guest: Guest, real: RealPrograms) -> str:
    if not real.after:
        return ""
    try:
        guest.run_programs(ProgramPlan(shell=real.after), deadline_s=_PREPARE_S)
    except Unavailable as error:
        return f"{error.message}: {error.detail[-200:].strip()}"
    return ""


@contextmanager
def _in_charge(guest: Guest, name: str, built: BuiltObject | None) -> Iterator[None]:
    if built is None:
        yield
        return
    reading = guest.attach(built.elf, deadline_s=ATTACH_S)
    if reading.outcome != "attached":
        raise Refused("policy-not-attached", f"{name} did not attach ({reading.outcome})", detail=reading.log[-2000:])
    before = reading.after
    yield
    after = guest.state()
    if (after.state, after.enable_seq) != (before.state, before.enable_seq):
        raise Refused("policy-lost", f"{name} was put out while it ran", detail=guest.kernel_log()[-2000:])
    guest.detach(deadline_s=DETACH_S)


def _check(runs: Sequence[RealRun], workload: Workload) -> None:
    bad = [run for run in runs if run.arm == DEFAULT and run.why_undone]
    if len(bad) == len([run for run in runs if run.arm == DEFAULT]):
        raise Unavailable(
            "never-done",
            f"{workload.name} did not do its work under the default scheduler: {bad[0].why_undone}",
            hint="see the workload's real programs",
        )


def _say(world: World, text: str, fraction: float | None = None) -> None:
    kind = "note" if fraction is None else "progress"
    world.progress.emit(Event(kind=kind, stage=STAGE, text=text, fraction=fraction))
