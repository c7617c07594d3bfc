"""Which module makes the plan of which kind of workload."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schedops.errors import InputError
from schedops.model.machine import Machine
from schedops.model.simulation import SimPlan
from schedops.model.workload import Workload
from schedops.sim.programs.extent import Extent

Maker = Callable[..., tuple[SimPlan, Extent]]
_MAKERS: Mapping[str, Maker] = {}


def kind_plan(
    workload: Workload, machine: Machine, *, seed: int, scale: float, with_hints: bool
) -> tuple[SimPlan, Extent]:
    """The plan of a workload that is not made of jobs.

    :raises InputError: ``plan-too-large``, or what is wrong with the workload.
    :raises ValueError: *scale* not above 0.
    """
    if not scale > 0:
        raise ValueError(f"scale must be above 0, not {scale:g}")
    kind = workload.model_kind
    if kind not in _MAKERS:
        raise InputError("not-simulated", f"workloads of the kind {kind} cannot be simulated yet")
    model = getattr(workload, kind)
    return _MAKERS[kind](model, machine, name=workload.name, seed=seed, scale=scale, with_hints=with_hints)
