"""A guest's session on a host, where others run as well: each run begins when the machine has settled."""

from __future__ import annotations

import time
from pathlib import Path

from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.guest import PlayReading
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.simulation import SimPlan

LOOKS = 3
_PAUSE_S = 0.05


class HostSession(GuestSession):
    """As its base; what the run before left to do (frees, timers, daemons that woke up) is over first."""

    def run_jobs(self, plan: JobPlan, setup: RunSetup, *, deadline_s: float) -> RunReading:
        """See :class:`schedops.ports.Guest`."""
        settle()
        return super().run_jobs(plan, setup, deadline_s=deadline_s)

    def run_programs(self, plan: ProgramPlan, *, deadline_s: float) -> ProgramReading | None:
        """See :class:`schedops.ports.Guest`."""
        settle()
        return super().run_programs(plan, deadline_s=deadline_s)

    def play(self, plan: SimPlan, *, name_seed: int, deadline_s: float) -> PlayReading:
        """See :class:`schedops.ports.Guest`."""
        settle()
        return super().play(plan, name_seed=name_seed, deadline_s=deadline_s)


def settle(*, proc: Path = Path("/proc"), most_s: float = 3.0) -> bool:
    """Wait until nobody but who looks wanted a CPU at some looks in a row; False: that was not so within *most_s*.

    A machine with other work never settles, and is measured on all the same: it was told that it is noisy.
    """
    until, quiet = time.monotonic() + most_s, 0
    while quiet < LOOKS:
        quiet = quiet + 1 if _runnable(proc) <= 1 else 0
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE_S)
    return True


def _runnable(proc: Path) -> int:
    # "0.10 0.20 0.30 1/200 4711": runnable of all tasks; proc_loadavg(5)
    words = (proc / "loadavg").read_text(encoding="ascii").split()
    return int(words[3].partition("/")[0])
