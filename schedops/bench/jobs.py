"""Runs of a workload's model: jobs that the guest's launcher starts."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.bench.load import Ran
from schedops.bench.validity import why_unread
from schedops.errors import Unavailable
from schedops.model.jobs import Hints, JobPlan, RunSetup
from schedops.model.policy import Capabilities
from schedops.model.workload import Workload
from schedops.ports import Guest
from schedops.workloads.arms import setup_of
from schedops.workloads.expand import expand
from schedops.workloads.hints import hints_from
from schedops.workloads.metrics import metrics_of

_FIRST_RUN_S = 180.0  # times the scale


@dataclass(frozen=True, slots=True)
class JobLoad:
    """See :class:`schedops.bench.load.Load`. Every seed has jobs of its own."""

    workload: Workload
    cpus: int
    scale: float

    archive = None
    programs = None

    @property
    def first_run_s(self) -> float:
        """See the protocol."""
        return _FIRST_RUN_S * max(1.0, self.scale)

    def plan(self, seed: int) -> JobPlan:
        """See the protocol. :raises InputError: ``simulator-only``: the workload's model has no jobs."""
        return expand(self.workload, seed=seed, cpus=self.cpus, scale=self.scale)

    def setup(
        self, arm: str, seed: int, *, hints: Hints | None, capabilities: Capabilities, name_seed: int
    ) -> RunSetup:
        """See the protocol."""
        return setup_of(
            arm,
            self.plan(seed),
            hints=hints,
            policy_takes_hints=capabilities.hints,
            policy_takes_group_hints=capabilities.group_hints and self.workload.builds is not None,
            name_seed=name_seed,
        )

    def prepare(self, guest: Guest) -> None:
        """Nothing: the launcher makes its jobs."""

    def before(self, guest: Guest) -> None:
        """Nothing."""

    def run(self, guest: Guest, seed: int, setup: RunSetup, *, deadline_s: float) -> Ran:
        """See the protocol."""
        plan = self.plan(seed)
        reading = guest.run_jobs(plan, setup, deadline_s=deadline_s)
        unread = why_unread(plan, setup, reading)
        try:
            return Ran(metrics=metrics_of(self.workload, plan, reading), trouble=unread, jobs=reading)
        except Unavailable as error:  # an impossible reading costs this run, not the comparison
            return Ran(metrics=(), trouble=unread or error.message, jobs=reading)

    def after(self, guest: Guest) -> str:
        """Nothing: exit codes say it all."""
        return ""

    def hints(self, seed: int, ran: Ran, date: str) -> Hints:
        """See the protocol."""
        runs = [(self.plan(seed), ran.jobs)] if ran.jobs is not None else []
        return hints_from(self.workload.name, runs, date)
