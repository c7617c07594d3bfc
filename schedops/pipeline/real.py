"""Real programs of a workload in a guest: under the default scheduler, and under a policy beside it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from schedops.bench.programs import Installed, ProgramLoad
from schedops.bench.run import InCharge, Run, run_once
from schedops.errors import GuestLost, InputError, Refused, Unavailable
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.measurements import MetricValue
from schedops.model.policy import Capabilities
from schedops.model.workload import Workload
from schedops.model.workload_real import RealPrograms
from schedops.pipeline.prepared import prepared
from schedops.pipeline.real_hints import noted, table_lines
from schedops.ports import Guest, KernelImage, World
from schedops.workloads.arms import INFORMED_NICE
from schedops.workloads.real import has_launcher

STAGE = "run"
DEFAULT, INFORMED = "eevdf", "informed"
LAUNCHER = "schedops-hint"
_TAUGHT = "learning"
_WARM_UP = -1  # no run of that number is counted
_TRIES = 2  # of a run in which the guest is lost


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


def run_real(
    workload: Workload,
    real: RealPrograms,
    archive: Path,
    image: KernelImage,
    size: RealSize,
    *,
    world: World,
    policy: InCharge | None = None,
) -> tuple[RealRun, ...]:
    """Run every arm *size.runs* times, in alternating order.

    :param archive: the programs, as :attr:`schedops.ports.Machines.boot` wants them.
    :raises InputError: the policy is called as one of the other arms.
    :raises Unavailable: preparing failed, or a run of the default scheduler never did its work.
    :raises Refused: the policy does not attach, is put out, or the guest was lost twice in one run with it attached.
    :raises GuestLost: the guest was lost twice in one run otherwise.
    """
    if policy is not None and (name := policy.policy.name) in (DEFAULT, INFORMED, _TAUGHT):
        raise InputError("arm-name", f"a policy called {name} cannot be told from the default scheduler's runs")
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
        policy: InCharge | None,
    ) -> None:
        self._name = workload.name
        installed = Installed(archive=archive, versions=())
        self._load = ProgramLoad(workload, real, size.cpus, size.scale, installed)
        self._image = image
        self._size = size
        self._world = world
        self._policy = policy
        self._ours = policy.policy.name if policy is not None else ""
        self._takes = policy.policy.capabilities if policy is not None else Capabilities()
        self._hints: Hints | None = None
        self._launched = 0
        self._inside = size.hints and has_launcher(real)
        self._noted: Hints | None = None
        self._losses: list[GuestLost] = []  # of the run at hand
        self._first_build = f"{self._ours} cold" if self._ours and self._takes.hints and self._inside else ""
        arms = (DEFAULT, INFORMED if size.hints else "", self._first_build, self._ours)
        self._arms = tuple(arm for arm in arms if arm)

    def all(self) -> tuple[RealRun, ...]:
        """In the order in which they ran. What is under way when a guest is lost is run once more, in another one."""
        left = [] if self._size.cold else [(_WARM_UP, arm) for _, arm in self._order(self._size.warmups)]
        left += self._order(self._size.runs)
        done: list[RealRun] = []
        while left:
            try:
                with self._prepared() as guest:
                    self._work(guest, left, done)
            except GuestLost as gone:
                self._note_loss(gone)
        return tuple(done)

    def _work(self, guest: Guest, left: list[tuple[int, str]], done: list[RealRun]) -> None:
        if self._size.hints and self._hints is None:
            self._teach(guest)
            if self._size.cold:
                return
        while left:
            number, arm = left[0]
            if number == _WARM_UP:
                self._say(f"{self._name}, {arm}, warm-up")
                self._once(guest, arm)
            else:
                done.append(self._counted(guest, arm, number))
            del left[0]
            self._losses.clear()
            if self._size.cold:
                return

    def _note_loss(self, gone: GuestLost) -> None:
        self._losses.append(gone)
        if len(self._losses) < _TRIES:
            self._say(f"{self._name}: {gone.message}; the run is begun once more")
            return
        if not all(one.attached and not one.known_emulator_fault for one in self._losses):
            raise gone
        raise Refused(
            "policy-hangs-guest",
            f"the guest was lost twice in the same run with {self._ours} attached: {gone.message}",
            where=gone.where,
            hint=f"schedops verify {self._ours}",
            detail=gone.detail,
        ) from gone

    def _order(self, runs: int) -> list[tuple[int, str]]:
        return [
            (number, arm) for number in range(runs) for arm in (self._arms if number % 2 == 0 else self._arms[::-1])
        ]

    def _prepared(self) -> AbstractContextManager[Guest]:
        self._say(f"preparing {self._name}")
        return prepared(self._load, self._image, cpus=self._size.cpus, world=self._world)

    def _teach(self, guest: Guest) -> None:
        self._say(f"{self._name}: how long its jobs take")
        run = self._once(guest, _TAUGHT)
        if run.trouble:
            text = f"{self._name} did not do its work under the default scheduler: {run.trouble}"
            raise Unavailable("never-done", text)
        today = self._world.clock.now_utc()[:10]
        hints = self._of(_TAUGHT).hints(0, run.ran, today)
        if self._inside:
            self._noted = noted(guest, self._name, today=today)
            if not self._noted.hints:
                raise Unavailable("nothing-noted", f"the compilers' launcher noted nothing in a run of {self._name}")
            took = sorted(hint.cpu_us / 1000 for hint in self._noted.hints)
            self._say(f"{self._name}: {len(took)} commands are known, {took[0]:.0f} to {took[-1]:.0f} ms of CPU time")
        self._hints = hints

    def _counted(self, guest: Guest, arm: str, number: int) -> RealRun:
        started = self._world.clock.monotonic_s()
        run = self._once(guest, arm)
        seconds = self._world.clock.monotonic_s() - started
        self._say(f"{self._name}, {arm}, run {number + 1}", (number + 1) / self._size.runs)
        metrics = () if run.trouble else run.ran.metrics
        return RealRun(arm=arm, number=number, seconds=seconds, metrics=metrics, why_undone=run.trouble)

    def _once(self, guest: Guest, arm: str) -> Run:
        self._launched += 1
        load = self._of(arm)
        setup = load.setup(
            INFORMED if arm == INFORMED else "candidate" if arm == self._ours else "eevdf",
            0,
            hints=self._hints,
            # Of a job that only starts others, the time of all of them: the hint of a group.
            capabilities=replace(self._takes, hints=self._takes.group_hints) if self._inside else self._takes,
            name_seed=self._size.seed * 1000 + self._launched,
        )
        charge = self._policy if arm in (self._first_build, self._ours) else None
        run = run_once(guest, load, 0, setup, charge=charge, deadline_s=load.first_run_s)
        if run.lost:
            raise Refused("policy-lost", f"{arm} was put out while it ran", detail=run.trouble)
        return run

    def _of(self, arm: str) -> ProgramLoad:
        if not self._inside:
            return self._load
        known = self._noted if arm in (INFORMED, self._ours) else None
        return replace(self._load, launcher=self._launcher(arm), begin=table_lines(known))

    def _launcher(self, arm: str) -> str:
        # Without schedops nobody would have a launcher: what it costs is the other arms' cost.
        if arm == DEFAULT:
            return ""
        return f"{LAUNCHER} --nice {INFORMED_NICE} " if arm == INFORMED else f"{LAUNCHER} "

    def _say(self, text: str, fraction: float | None = None) -> None:
        kind = "note" if fraction is None else "progress"
        self._world.progress.emit(Event(kind=kind, stage=STAGE, text=text, fraction=fraction))
