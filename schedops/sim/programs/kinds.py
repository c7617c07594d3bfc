"""Which module makes the plan of which kind of workload."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schedops.model.simulation import SimPlan
from schedops.model.workload import Workload
from schedops.sim.programs.graph import graph_plan
from schedops.sim.programs.pipes import pipes_plan
from schedops.sim.programs.requests import requests_plan
from schedops.sim.programs.rt_app import rt_app_plan
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.tasks import tasks_plan

Maker = Callable[..., tuple[SimPlan, Extent]]
_MAKERS: Mapping[str, Maker] = {
    "requests": requests_plan,
    "pipes": pipes_plan,
    "graph": graph_plan,
    "tasks": tasks_plan,
    "rt_app": rt_app_plan,
}


def kind_plan(workload: Workload, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan of a workload that is not made of jobs.

    :raises InputError: ``plan-too-large``, or what is wrong with the workload.
    """
    return _MAKERS[workload.model_kind](getattr(workload, workload.model_kind), wanted)
