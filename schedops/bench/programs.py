"""Runs of a workload's real programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schedops.bench.load import Ran
from schedops.errors import GuestLost, Unavailable
from schedops.model.jobs import Hints, RunSetup
from schedops.model.measurements import MeasuredPrograms
from schedops.model.policy import Capabilities
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.workload import Workload
from schedops.model.workload_real import RealJob, RealPrograms
from schedops.ports import Guest
from schedops.workloads.real import kinds_of, program_plan, real_metrics, shell_plan, why_undone
from schedops.workloads.real_setup import hints_from_programs, launched, program_setup

_RUN_S = 300.0
_SHELL_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """Programs at hand. *archive*: as :meth:`schedops.ports.Machines.boot` takes it; *versions*: of the packages."""

    archive: Path
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramLoad:
    """See :class:`schedops.bench.load.Load`. The programs are the same with every seed, their names differ.

    :param real: the workload's.
    :param launcher: see :func:`schedops.workloads.real.program_plan`.
    :param begin: lines of shell before each run, beside those of the workload.
    """

    workload: Workload
    real: RealPrograms
    cpus: int
    scale: float
    installed: Installed
    launcher: str = ""
    begin: tuple[str, ...] = ()

    @property
    def archive(self) -> Path:
        """See the protocol."""
        return self.installed.archive

    @property
    def programs(self) -> MeasuredPrograms:
        """See the protocol."""
        return MeasuredPrograms(plan=self._plan, versions=self.installed.versions)

    @property
    def first_run_s(self) -> float:
        """See the protocol."""
        return _RUN_S * max(1.0, self.scale)

    def plan(self, seed: int) -> None:
        """None: all runs have the same programs."""

    def setup(
        self, arm: str, seed: int, *, hints: Hints | None, capabilities: Capabilities, name_seed: int
    ) -> RunSetup:
        """See the protocol."""
        return program_setup(
            arm, self._plan, self._kinds, hints=hints, policy_takes_hints=capabilities.hints, name_seed=name_seed
        )

    def prepare(self, guest: Guest) -> None:
        """See the protocol."""
        self._shell(guest, self.real.prepare)

    def before(self, guest: Guest) -> None:
        """See the protocol."""
        self._shell(guest, (*self.real.before, *self.begin))

    def run(self, guest: Guest, seed: int, setup: RunSetup, *, deadline_s: float) -> Ran:
        """See the protocol."""
        plan, kinds = launched(self._plan, setup), self._kinds
        reading = guest.run_programs(plan, deadline_s=deadline_s)
        if reading is None:
            raise AssertionError("a plan with jobs has a reading")
        undone = why_undone(self.real, kinds, plan, reading)
        metrics = () if undone else real_metrics(self.real, kinds, plan, reading, cpus=self.cpus)
        return Ran(metrics=metrics, trouble=undone, programs=self._kept(reading))

    def after(self, guest: Guest) -> str:
        """See the protocol."""
        try:
            self._shell(guest, self.real.after)
        except GuestLost:
            raise
        except Unavailable as error:
            return f"{error.message}: {error.detail[-200:].strip()}"
        return ""

    def hints(self, seed: int, ran: Ran, date: str) -> Hints:
        """See the protocol."""
        if ran.programs is None:
            return Hints(workload=self.workload.name, hints=())
        return hints_from_programs(self.workload.name, self._plan, ran.programs, date)

    @property
    def _plan(self) -> ProgramPlan:
        return program_plan(self.real, cpus=self.cpus, scale=self.scale, name_seed=0, launcher=self.launcher)

    @property
    def _kinds(self) -> tuple[RealJob, ...]:
        return kinds_of(self.real, cpus=self.cpus, scale=self.scale)

    def _shell(self, guest: Guest, lines: Sequence[str]) -> None:
        if lines:
            guest.run_programs(
                shell_plan(lines, self.real, cpus=self.cpus, scale=self.scale), deadline_s=_SHELL_S
            )  # fmt: skip

    def _kept(self, reading: ProgramReading) -> ProgramReading:
        # What metrics are read from; the rest may be long, and says nothing that counts.
        speaking = {read.job for read in self.real.reads}
        said = zip(self._kinds, reading.outputs, strict=True)
        return replace(reading, outputs=tuple(words if kind.name in speaking else "" for kind, words in said))
