"""What the runs of a comparison do: the launcher's jobs (``jobs``) or real programs (``programs``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schedops.model.jobs import Hints, JobPlan, RunReading, RunSetup
from schedops.model.measurements import MeasuredPrograms, MetricValue
from schedops.model.policy import Capabilities
from schedops.model.programs import ProgramReading
from schedops.model.workload import Workload
from schedops.ports import Guest

_KILLED = 137  # 128 + SIGKILL, how a launcher ends jobs at the deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one run gave: the reading of jobs or of programs.

    :param trouble: why it means nothing; empty: it did its work.
    """

    metrics: tuple[MetricValue, ...]
    trouble: str
    jobs: RunReading | None = None
    programs: ProgramReading | None = None

    @property
    def starved(self) -> bool:
        """Jobs were killed at the deadline of the run."""
        return starved(self.jobs, self.programs)


def starved(*readings: RunReading | ProgramReading | None) -> bool:
    """Jobs of one of them were killed at the deadline of the run."""
    return any(_KILLED in reading.exit_codes for reading in readings if reading is not None)


class Load(Protocol):
    """A workload in a guest of one size. Every call on a guest may raise GuestLost."""

    @property
    def workload(self) -> Workload:
        """Whose runs these are."""

    @property
    def archive(self) -> Path | None:
        """Of the programs that a guest needs, as :meth:`schedops.ports.Machines.boot` takes it."""

    @property
    def programs(self) -> MeasuredPrograms | None:
        """What runs, where that is real programs."""

    @property
    def first_run_s(self) -> float:
        """Deadline of a run as long as nobody knows how fast this machine is."""

    def plan(self, seed: int) -> JobPlan | None:
        """The jobs of the runs with this seed; None where all runs have the same programs."""

    def setup(
        self, arm: str, seed: int, *, hints: Hints | None, capabilities: Capabilities, name_seed: int
    ) -> RunSetup:
        """How an arm launches them. :param capabilities: of the policy, of which the candidate's are asked."""

    def prepare(self, guest: Guest) -> None:
        """Once for each guest. :raises Unavailable: ``program-failed``."""

    def before(self, guest: Guest) -> None:
        """Before each run, under the default scheduler, unmeasured. :raises Unavailable: ``program-failed``."""

    def run(self, guest: Guest, seed: int, setup: RunSetup, *, deadline_s: float) -> Ran:
        """One run, under whoever schedules now."""

    def after(self, guest: Guest) -> str:
        """After each run, under the default scheduler: why its work was not done; empty when it was."""

    def hints(self, seed: int, ran: Ran, date: str) -> Hints:
        """What a run without trouble teaches. :param date: ISO 8601."""
