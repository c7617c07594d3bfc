"""What both the test and the benchmark of hosts do with a guest that is one."""

from __future__ import annotations

import json
from typing import Any

from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.programs import ProgramJob, ProgramPlan
from tests.adapters.host.python_tree import command

MODULES = ("schedops.adapters.host.machines", "schedops.model.simulation", "encodings.ascii")
# As inside.py sees it when nothing is left.
UNDONE = {"state": "disabled", "cgroups": [], "setting": "1", "journal": False, "programs": [], "traces": []}


def inside(guest: GuestSession, *words: str) -> tuple[int, Any]:
    """Run inside.py in the guest; its exit code, and what it said."""
    job = ProgramJob(argv=command("inside.py", *words))
    found = guest.run_programs(ProgramPlan(jobs=(job,)), deadline_s=120)
    assert found is not None
    code, said = found.exit_codes[0], found.outputs[0]
    return code, json.loads(said.splitlines()[-1]) if code == 0 else said
