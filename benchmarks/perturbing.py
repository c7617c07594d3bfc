"""Workloads of the same kind with other numbers: work x 0.5 .. 2, counts x 0.75 .. 1.5."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from schedops.model.workload import BatchModel, BuildsModel, Workload
from schedops.model.workload_kinds import GraphModel, PipesModel, RequestsModel, RtAppModel, TaskPhase, TasksModel


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws for one workload."""

    rng: random.Random

    def work(self, value: float) -> float:
        """X 0.5 .. 2, halves as likely as doubles."""
        return value * 2 ** self.rng.uniform(-1, 1)

    def count(self, value: int, least: int = 1) -> int:
        """X 0.75 .. 1.5."""
        return max(least, round(value * self.rng.uniform(0.75, 1.5)))


def perturbed(workload: Workload, seed: int) -> Workload:
    """Equal arguments give equal workloads."""
    kind = workload.model_kind
    chance = Chance(random.Random(f"{workload.name}/{seed}"))
    return replace(workload, **{kind: _PERTURB[kind](getattr(workload, kind), chance)})


def _builds(model: BuildsModel, by: Chance) -> BuildsModel:
    return replace(
        model,
        job_work=round(by.work(model.job_work)),
        compile_jobs=tuple(by.count(count) for count in model.compile_jobs),
        test_jobs=by.count(model.test_jobs),
        builds=by.count(model.builds, 2),
        arrival_gap_ms=by.work(model.arrival_gap_ms),
    )


def _batch(model: BatchModel, by: Chance) -> BatchModel:
    return replace(
        model,
        job_work=round(by.work(model.job_work)),
        short_jobs_per_cpu=model.short_jobs_per_cpu * by.rng.uniform(0.75, 1.5),
        long_factor=model.long_factor * by.rng.uniform(0.9, 1.5),
    )


def _requests(model: RequestsModel, by: Chance) -> RequestsModel:
    return replace(
        model,
        work_us=by.work(model.work_us),
        workers=by.count(model.workers),
        think_us=by.work(model.think_us),
        rate_per_s=by.work(model.rate_per_s),
    )


def _pipes(model: PipesModel, by: Chance) -> PipesModel:
    pairs, messages = by.count(model.pairs, 2), by.count(model.messages)
    return replace(model, pairs=pairs, messages=messages, message_us=by.work(model.message_us))


def _graph(model: GraphModel, by: Chance) -> GraphModel:
    kernel = model.kernel
    if kernel is None:
        return replace(model, jobs=tuple(replace(job, work_ms=by.work(job.work_ms)) for job in model.jobs))
    made = replace(
        kernel,
        work_ms=by.work(kernel.work_ms),
        compile_jobs=by.count(kernel.compile_jobs, 40),
        directories=by.count(kernel.directories, 2),
        link_ms=by.work(kernel.link_ms),
    )
    return replace(model, kernel=made)


def _tasks(model: TasksModel, by: Chance) -> TasksModel:
    def phase(one: TaskPhase) -> TaskPhase:
        return replace(one, steps=tuple(replace(s, us=by.work(s.us)) if s.do == "run" else s for s in one.steps))

    classes = (replace(one, phases=tuple(phase(part) for part in one.phases)) for one in model.classes)
    return replace(model, classes=tuple(classes))


def _rt_app(model: RtAppModel, by: Chance) -> RtAppModel:
    return RtAppModel(json=re.sub(r'(?<="run": )\d+', lambda found: str(round(by.work(int(found[0])))), model.json))


_PERTURB: dict[str, Callable[..., object]] = {
    "builds": _builds,
    "batch": _batch,
    "requests": _requests,
    "pipes": _pipes,
    "graph": _graph,
    "tasks": _tasks,
    "rt_app": _rt_app,
}
