"""What is wrong with a workload that no schema can see: whether a plan can be made of it at all."""

from __future__ import annotations

from schedops.errors import InputError
from schedops.model.machine import MAX_CPUS, flat_machine
from schedops.model.workload import JOB_KINDS, Workload
from schedops.sim.programs.plan import plan_of

_TOO_LARGE = "plan-too-large"  # on this machine; it may fit another one


def plan_problem(workload: Workload) -> str | None:
    """``$.path: message``, or None when it can be planned for the largest machine that there is."""
    kind = workload.model_kind
    if kind in JOB_KINDS:
        return None
    try:
        plan_of(workload, machine=flat_machine(MAX_CPUS), seed=1)
    except InputError as error:
        return None if error.code == _TOO_LARGE else f"$.{kind}: {error.message} ({error.where})"
    return None
