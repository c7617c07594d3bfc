"""Workloads of every kind, small."""

from __future__ import annotations

from schedops.model.machine import flat_machine
from schedops.model.simulation import SimResult
from schedops.model.workload import Workload
from schedops.model.workload_kinds import (
    GraphJob,
    GraphModel,
    KernelBuild,
    PipesModel,
    RequestsModel,
    RtAppModel,
    TaskClass,
    TaskPhase,
    TasksModel,
    TaskStep,
)
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import Planned, planned
from tests.fakes.programs import play


def workload(**model: object) -> Workload:
    return Workload(name="w", description="d", objectives=(), guards=(), rounds=1, warmup_rounds=0, **model)


def requests(**changes: object) -> Workload:
    given = {"messengers": 1, "workers": 4, "duration_ms": 200.0, "work_us": 1000.0, "work_sigma": 0.0}
    return workload(requests=RequestsModel(**(given | changes)))


def pipes(**changes: object) -> Workload:
    return workload(pipes=PipesModel(**({"groups": 2, "pairs": 3, "messages": 5} | changes)))


def kernel(**changes: object) -> Workload:
    given = {
        "directories": 4, "compile_jobs": 30, "work_ms": 10.0, "work_sigma": 0.7, "configure_ms": 50.0,
        "parse_ms": 5.0, "archive_ms": 2.0, "link_ms": 20.0, "links": 3,
    }  # fmt: skip
    return workload(graph=GraphModel(kernel=KernelBuild(**(given | changes))))


def graph(*jobs: tuple[str, float, tuple[str, ...]], **changes: object) -> Workload:
    made = tuple(GraphJob(name=name, work_ms=ms, after=after) for name, ms, after in jobs)
    return workload(graph=GraphModel(jobs=made, **changes))


def steps(*words: str) -> tuple[TaskStep, ...]:
    """``run 100``, ``lock a``, ``suspend event mutex`` ...; a number is *us*, of wait and post it is *count*."""
    made = []
    for word in words:
        do, *rest = word.split()
        numbers = [float(part) for part in rest if part.lstrip("-").isdigit()]
        names = [part for part in rest if not part.lstrip("-").isdigit()]
        number = numbers[0] if numbers else 0
        length = {"count": int(number)} if do in ("wait", "post", "nice", "send") else {"us": number}
        made.append(TaskStep(do=do, name="".join(names[:1]), mutex="".join(names[1:2]), **length))
    return tuple(made)


def task(name: str, *words: str, loop: int = 1, **changes: object) -> TaskClass:
    return TaskClass(name=name, phases=(TaskPhase(steps=steps(*words)),), loop=loop, **changes)


def tasks(*classes: TaskClass, duration_ms: float = 0.0) -> Workload:
    return workload(tasks=TasksModel(classes=classes, duration_ms=duration_ms))


def rt_app(text: str) -> Workload:
    return workload(rt_app=RtAppModel(json=text))


def ran(one: Workload, cpus: int = 2, **more: object) -> tuple[Planned, SimResult]:
    run = planned(one, machine=flat_machine(cpus), seed=1, **more)
    return run, play(run.plan, flat_machine(cpus))


def values(run: Planned, result: SimResult) -> dict[str, float]:
    return {one.metric: one.value for one in metrics_of_result(run, result)}
