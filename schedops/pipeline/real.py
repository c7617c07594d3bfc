"""Real programs of a workload in a guest: under the default scheduler, and under a policy beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from schedops.bench.run import ATTACH_S, DETACH_S
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.measurements import MetricValue
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.verification import BuiltObject
from schedops.model.workload import Workload
from schedops.model.workload_real import RealJob, RealPrograms
from schedops.pipeline.real_hints import noted, table_lines
from schedops.ports import Guest, KernelImage, World
from schedops.workloads.arms import INFORMED_NICE, informed_nice
from schedops.workloads.real import (
    History,
    has_launcher,
    kinds_of,
    program_plan,
    real_metrics,
    shell_plan,
    why_undone,
)

STAGE = "run"
_PREPARE_S = 300.0
_RUN_S = 300.0
DEFAULT, INFORMED = "eevdf", "informed"
LAUNCHER = "schedops-hint"
_TAUGHT = "learning"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRun:
    """One run. *why_undone* is empty when the work was done; else there are no metrics.

    :param arm: ``eevdf``, ``informed``, the policy's name, or that and ``cold``.
    :param seconds: as the host counts them, with what is done before and after the measured part.
    """

    arm: str
    number: int
    seconds: float
    metrics: tuple[MetricValue, ...]
    why_undone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSize:
    """What is asked.

    :param runs: of each arm.
    :param warmups: of each arm, before them and not counted; none when *cold*.
    :param cold: every run has a guest of its own, booted for it.
    :param hints: a first run under the default scheduler, not counted, teaches how much CPU time each job uses; the
        policy gets that as hints, and an arm ``informed`` as nice values. Where jobs start compilers by a launcher, it
        teaches how much each of those uses, the launcher hands that over, and an arm ``POLICY cold`` has the launcher
        and knows nothing yet.
    """

    cpus: int
    scale: float
    seed: int
    runs: int
    warmups: int = 0
    cold: bool = False
    hints: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPolicy:
    """:param takes_hints: it declares that it uses them; *takes_group_hints*: those of whole builds as well."""

    name: str
    built: BuiltObject
    takes_hints: bool = False
    takes_group_hints: bool = False


def run_real(
    workload: Workload,
    real: RealPrograms,
    archive: Path,
    image: KernelImage,
    size: RealSize,
    *,
    world: World,
    policy: RealPolicy | None = None,
) -> tuple[RealRun, ...]:
    """Run every arm *size.runs* times, in alternating order.

    :param archive: the programs, as :attr:`schedops.ports.Machines.boot` wants them.
    :raises InputError: the policy is called as one of the other arms.
    :raises Unavailable: preparing failed, or a run of the default scheduler never did its work.
    :raises Refused: the policy does not attach. :raises GuestLost: the guest is gone.
    """
    if policy is not None and policy.name in (DEFAULT, INFORMED):
        raise InputError("arm-name", f"a policy called {policy.name} cannot be told from the default scheduler's runs")
    runs = _Runs(workload, real, archive, image, size, world, policy).all()
    bad = [run for run in runs if run.arm == DEFAULT and run.why_undone]
    if len(bad) == size.runs:
        raise Unavailable(
            "never-done",
            f"{workload.name} did not do its work under the default scheduler: {bad[0].why_undone}",
            hint="see the workload's real programs",
        )
    return runs


class _Runs:
    """All runs of one workload."""

    def __init__(
        self,
        workload: Workload,
        real: RealPrograms,
        archive: Path,
        image: KernelImage,
        size: RealSize,
        world: World,
        policy: RealPolicy | None,
    ) -> None:
        self._name = workload.name
        self._real = real
        self._archive = archive
        self._image = image
        self._size = size
        self._world = world
        self._policy = policy
        self._kinds = kinds_of(real, cpus=size.cpus, scale=size.scale)
        self._history = History()
        self._launched = 0
        self._inside = size.hints and has_launcher(real)
        self._noted: Hints | None = None
        self._first_build = f"{policy.name} cold" if policy and policy.takes_hints and self._inside else ""
        arms = (DEFAULT, INFORMED if size.hints else "", self._first_build, policy.name if policy else "")
        self._arms = tuple(arm for arm in arms if arm)

    def all(self) -> tuple[RealRun, ...]:
        """In the order in which they ran."""
        if self._size.cold:
            return tuple(self._cold())
        with self._prepared() as guest:
            return tuple(self._warm(guest))

    def _cold(self) -> Iterator[RealRun]:
        if self._size.hints:
            with self._prepared() as guest:
                self._teach(guest)
        for number, arm in self._order(self._size.runs):
            with self._prepared() as guest:
                yield self._counted(guest, arm, number)

    def _warm(self, guest: Guest) -> Iterator[RealRun]:
        if self._size.hints:
            self._teach(guest)
        for _, arm in self._order(self._size.warmups):
            self._say(f"{self._name}, {arm}, warm-up")
            self._once(guest, arm)
        for number, arm in self._order(self._size.runs):
            yield self._counted(guest, arm, number)

    def _order(self, runs: int) -> list[tuple[int, str]]:
        return [
            (number, arm) for number in range(runs) for arm in (self._arms if number % 2 == 0 else self._arms[::-1])
        ]

    @contextmanager
    def _prepared(self) -> Iterator[Guest]:
        with self._world.machines.boot(self._image, cpus=self._size.cpus, programs=self._archive) as guest:
            self._say(f"preparing {self._name}")
            self._shell(guest, self._real.prepare)
            yield guest

    def _teach(self, guest: Guest) -> None:
        self._say(f"{self._name}: how long its jobs take")
        plan, reading, undone = self._once(guest, _TAUGHT)
        if undone:
            raise Unavailable("never-done", f"{self._name} did not do its work under the default scheduler: {undone}")
        self._history = self._history.with_run(plan, reading)
        if self._inside:
            self._noted = noted(guest, self._name, today=self._world.clock.now_utc()[:10])
            if not self._noted.hints:
                raise Unavailable("nothing-noted", f"the compilers' launcher noted nothing in a run of {self._name}")
            took = sorted(hint.cpu_us / 1000 for hint in self._noted.hints)
            self._say(f"{self._name}: {len(took)} commands are known, {took[0]:.0f} to {took[-1]:.0f} ms of CPU time")

    def _counted(self, guest: Guest, arm: str, number: int) -> RealRun:
        started = self._world.clock.monotonic_s()
        plan, reading, undone = self._once(guest, arm)
        seconds = self._world.clock.monotonic_s() - started
        metrics = () if undone else real_metrics(self._real, self._kinds, plan, reading, cpus=self._size.cpus)
        self._say(f"{self._name}, {arm}, run {number + 1}", (number + 1) / self._size.runs)
        return RealRun(arm=arm, number=number, seconds=seconds, metrics=metrics, why_undone=undone)

    def _once(self, guest: Guest, arm: str) -> tuple[ProgramPlan, ProgramReading, str]:
        plan = self._plan(arm)
        known = self._noted if arm in (INFORMED, self._policy.name if self._policy else "") else None
        self._shell(guest, (*self._real.before, *(table_lines(known) if self._inside else ())))
        with self._in_charge(guest, arm):
            reading = guest.run_programs(plan, deadline_s=_RUN_S)
        if reading is None:
            raise AssertionError("a plan with jobs has a reading")
        return plan, reading, why_undone(self._real, self._kinds, plan, reading) or self._undone_after(guest)

    def _plan(self, arm: str) -> ProgramPlan:
        self._launched += 1
        size = self._size
        plan = program_plan(
            self._real,
            cpus=size.cpus,
            scale=size.scale,
            name_seed=size.seed * 1000 + self._launched,
            launcher=self._launcher(arm),
        )
        if arm in (DEFAULT, _TAUGHT, self._first_build) or not size.hints:
            return plan
        expected = self._history.expected_ns(plan)
        if arm == INFORMED:
            return _with_nice(plan, self._kinds, informed_nice(expected))
        if self._policy is not None and self._takes_hints(self._policy):
            hinted = (replace(job, hint_ns=ns) for job, ns in zip(plan.jobs, expected, strict=True))
            return replace(plan, jobs=tuple(hinted))
        return plan

    def _launcher(self, arm: str) -> str:
        # Without schedops nobody would have a launcher: what it costs is the other arms' cost.
        if not self._inside or arm == DEFAULT:
            return ""
        return f"{LAUNCHER} --nice {INFORMED_NICE} " if arm == INFORMED else f"{LAUNCHER} "

    def _takes_hints(self, policy: RealPolicy) -> bool:
        # Of a job that only starts others, the time of all of them: the hint of a group.
        return policy.takes_group_hints if self._inside else policy.takes_hints

    def _undone_after(self, guest: Guest) -> str:
        try:
            self._shell(guest, self._real.after)
        except Unavailable as error:
            return f"{error.message}: {error.detail[-200:].strip()}"
        return ""

    def _shell(self, guest: Guest, lines: Sequence[str]) -> None:
        if lines:
            plan = shell_plan(lines, self._real, cpus=self._size.cpus, scale=self._size.scale)
            guest.run_programs(plan, deadline_s=_PREPARE_S)

    @contextmanager
    def _in_charge(self, guest: Guest, arm: str) -> Iterator[None]:
        if self._policy is None or arm not in (self._first_build, self._policy.name):
            yield
            return
        reading = guest.attach(self._policy.built.elf, deadline_s=ATTACH_S)
        if reading.outcome != "attached":
            log = reading.log[-2000:]
            raise Refused("policy-not-attached", f"{arm} did not attach ({reading.outcome})", detail=log)
        yield
        after = guest.state()
        if (after.state, after.enable_seq) != (reading.after.state, reading.after.enable_seq):
            raise Refused("policy-lost", f"{arm} was put out while it ran", detail=guest.kernel_log()[-2000:])
        guest.detach(deadline_s=DETACH_S)

    def _say(self, text: str, fraction: float | None = None) -> None:
        kind = "note" if fraction is None else "progress"
        self._world.progress.emit(Event(kind=kind, stage=STAGE, text=text, fraction=fraction))


def _with_nice(plan: ProgramPlan, kinds: Sequence[RealJob], nice: Sequence[int]) -> ProgramPlan:
    # Who wrote the workload may have been told what is urgent; the expert's guess is for the others.
    chosen = (
        replace(job, nice=job.nice if kind.nice else guess)
        for kind, job, guess in zip(kinds, plan.jobs, nice, strict=True)
    )
    return replace(plan, jobs=tuple(chosen))
