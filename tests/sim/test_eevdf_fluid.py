"""The model of the default scheduler against what it approximates: CPUs shared like a fluid, by weight."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass

import pytest

from schedops.model.machine import flat_machine
from schedops.model.simulation import Instruction, Op, SimPlan, SimTask
from tests.fakes.simulations import MS, Default

WEIGHTS = {0: 1024, 5: 335, -5: 3121}


@dataclass
class Job:
    arrival: float
    left: float
    weight: float = 1.0
    done: float = 0.0


def rates(jobs: list[Job], cpus: int) -> list[float]:
    """Shares by weight of so many CPUs, of which nobody can use more than one."""
    found = dict.fromkeys(map(id, jobs), 0.0)
    hungry, left = list(jobs), float(cpus)
    while hungry:
        unit = left / sum(job.weight for job in hungry)
        full = [job for job in hungry if job.weight * unit >= 1]
        for job in full or hungry:
            found[id(job)] = 1.0 if full else job.weight * unit
        if not full:
            break
        left -= len(full)
        hungry = [job for job in hungry if job.weight * unit < 1]
    return [found[id(job)] for job in jobs]


def fluid(jobs: list[Job], cpus: int) -> list[float]:
    """When each job is done; lengths and times are of one unit."""
    now, todo = 0.0, sorted(jobs, key=lambda job: job.arrival)
    there: list[Job] = []
    while todo or there:
        there += [job for job in todo if job.arrival <= now]
        todo = [job for job in todo if job.arrival > now]
        speeds = rates(there, cpus)
        steps = [job.left / speed for job, speed in zip(there, speeds, strict=True)]
        step = min([*steps, *(job.arrival - now for job in todo)])
        now += step
        for job, speed in zip(there, speeds, strict=True):
            job.left -= step * speed
            job.done = now
        there = [job for job in there if job.left > 1e-6]
    return [job.done for job in jobs]


def drawn(seed: int, count: int, gap: float, nice: tuple[int, ...] = (0,)) -> list[tuple[float, float, int]]:
    """(arrival ms, length ms, nice)"""
    draw, at, jobs = random.Random(seed), 0.0, []
    for _ in range(count):
        jobs.append((at, 100 * draw.lognormvariate(0, 0.8), draw.choice(nice)))
        at += draw.expovariate(1 / gap) if gap else 0.0
    return jobs


def compared(simulated: Default, jobs: list[tuple[float, float, int]], cpus: int) -> list[float]:
    """Time from arrival to completion, over that of the fluid."""
    plan = SimPlan(
        seed=1,
        tasks=tuple(
            SimTask(name="j", program=number, nice=nice, arrival_ns=int(at * MS))
            for number, (at, _, nice) in enumerate(jobs)
        ),
        programs=tuple((Instruction(Op.RUN, int(length * MS)),) for _, length, _ in jobs),
    )
    got = simulated(plan, flat_machine(cpus))
    ideal = fluid([Job(at, length, WEIGHTS[nice]) for at, length, nice in jobs], cpus)
    return [
        (task.completion_ns - task.arrival_ns) / (done - at) / MS
        for task, done, (at, _, _) in zip(got.tasks, ideal, jobs, strict=True)
    ]


@pytest.mark.parametrize("gap", [0, 10, 40])
@pytest.mark.parametrize("cpus", [1, 2, 8])
def test_jobs_end_when_equal_sharing_says(simulated, cpus, gap):
    ratios = [one for seed in range(6) for one in compared(simulated, drawn(seed, 8 * cpus, gap / cpus), cpus)]
    assert statistics.mean(ratios) == pytest.approx(1, abs=0.03)
    assert statistics.pstdev(ratios) < (0.03 if cpus == 1 else 0.15)


def test_jobs_end_when_sharing_by_weight_says(simulated):
    ratios = [one for seed in range(8) for one in compared(simulated, drawn(seed, 8, 30, (0, 5, -5)), 1)]
    assert statistics.mean(ratios) == pytest.approx(1, abs=0.03)
    assert statistics.pstdev(ratios) < 0.05
