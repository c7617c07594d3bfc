"""From a workload or its profile to a query for policies that may suit it."""

from __future__ import annotations

from schedops.model.jobs import Hints
from schedops.model.outcome import OutcomeMachine
from schedops.model.profile import Profile
from schedops.model.workload import Workload
from schedops.pipeline.profiling import Asked, History, look
from schedops.ports import KernelImage, World
from schedops.repository import Query
from schedops.repository.words import gloss_of

PROFILED_CPUS = 2  # what `schedops profile` looks at unless it is told otherwise


def query_of(profile: Profile, workload: Workload | None, machine: OutcomeMachine) -> Query:
    """What to look for.

    :param workload: of the profile, where the repository has it: its tags say more than its numbers do.
    :param machine: where it is to run.
    """
    classes = tuple(one.name for one in profile.classes)
    said = [gloss_of(name) for name in classes]
    if workload is not None:
        said += [*workload.tags, *(one.metric.replace("_", " ") for one in workload.objectives)]
    return Query(text=". ".join(said), classes=classes, workload=profile.workload, machine=machine)


def summary_of(workload: Workload, hints: Hints | None, *, world: World) -> Profile:
    """What is known of a workload without a run."""

    def no_kernel() -> KernelImage:
        raise AssertionError("tier summary runs nothing")

    asked = Asked(cpus=PROFILED_CPUS, seed=1, tier="summary")
    return look(workload, no_kernel, lambda _: b"", asked, world=world, history=History(hints=hints)).profile
