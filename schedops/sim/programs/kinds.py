"""Which module makes the plan of which kind of workload: the one of its name."""

from __future__ import annotations

import importlib
from typing import cast

from schedops.model.simulation import SimPlan
from schedops.model.workload import Workload
from schedops.sim.programs.situation import Extent, Situation


def kind_plan(workload: Workload, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan of a workload that is not made of jobs.

    :raises InputError: ``plan-too-large``, or what is wrong with the workload.
    """
    kind = workload.model_kind
    # A plan is of one kind: the other modules, a twentieth of a short simulation's time, are not imported.
    make = getattr(importlib.import_module(f"schedops.sim.programs.{kind}"), f"{kind}_plan")
    return cast("tuple[SimPlan, Extent]", make(getattr(workload, kind), wanted))
