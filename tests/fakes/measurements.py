"""Measurements with chosen figures: one value per round, metric and arm; everything else sound."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.environment import Environment
from schedops.model.guest import SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.measurements import Measurements, MetricValue, RoundPlan, Sample
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, VerificationReport
from schedops.model.workload import BatchModel, Guard, Objective, Workload
from tests.fakes.guest import HOST_FACTS

SPREAD = (0.99, 1.01, 1.0, 0.98, 1.02, 1.005, 0.995, 1.015, 0.985, 1.0)  # ten rounds, a quiet host
BATCH = BatchModel(short_jobs_per_cpu=5.0, long_jobs=1, job_work=1000, long_factor=7.4, length_sigma=0.15)
OFF = SchedState(state="disabled", ops="", enable_seq=3, switch_all=0, nr_rejected=0, task_on_ext=False)
ON = replace(OFF, state="enabled", ops="ours", enable_seq=4, switch_all=1, task_on_ext=True)
READING = RunReading(
    start_us=(),
    end_us=(),
    cpu_us=(),
    run_delay_us=(),
    voluntary_switches=(),
    involuntary_switches=(),
    exit_codes=(),
    hints_accepted=0,
    wall_us=1,
    context_switches=0,
    wakeups=0,
)
ENVIRONMENT = Environment(
    kernel="6.18",
    cpus=2,
    accelerator="tcg-multi",
    qemu="10.0.2",
    host=HOST_FACTS,
)
SETUP = RunSetup(cgroup_per_group=False, nice=(), hint_ns=(), name_seed=1)


def workload(
    objectives: tuple[Objective, ...] | None = None, guards: tuple[Guard, ...] | None = None, rounds: int = 10
) -> Workload:
    """One objective (makespan, 5 %) and one hard guard (cost, 6 %) unless told otherwise."""
    return Workload(
        name="w",
        description="A workload of the tests.",
        objectives=(objective("makespan"),) if objectives is None else objectives,
        guards=(guard("cost"),) if guards is None else guards,
        rounds=rounds,
        warmup_rounds=0,
        batch=BATCH,
    )


def objective(metric: str, direction: str = "lower", min_effect: float = 0.05) -> Objective:
    return Objective(metric=metric, unit="ms", direction=direction, min_effect=min_effect)


def guard(metric: str, direction: str = "lower", max_harm: float = 0.06, *, hard: bool = True) -> Guard:
    return Guard(metric=metric, unit="ms", direction=direction, max_harm=max_harm, hard=hard)


def scaled(level: float, spread: tuple[float, ...] = SPREAD) -> list[float]:
    """A column whose mean is about *level*."""
    return [level * factor for factor in spread]


def measurements(columns: dict[str, dict[str, list[float]]], unit: str = "ms") -> Measurements:
    """:param columns: arm -> metric -> one value per round; which arm runs first changes from round to round."""
    rounds = max((len(values) for arm in columns.values() for values in arm.values()), default=0)
    samples = [
        sample(number, order, arm, {metric: values[number] for metric, values in figures.items()}, unit)
        for number in range(rounds)
        for order, (arm, figures) in _in_turn(columns, number)
    ]
    return Measurements(
        workload="w",
        policy="p",
        kernel="6.18",
        cpus=2,
        accelerator="tcg-multi",
        object_sha256="0" * 64,
        rung="micro-vm",
        warmup_rounds=0,
        rounds=tuple(
            RoundPlan(round=number, plan=JobPlan(seed=number, cpus=2, groups=(), jobs=())) for number in range(rounds)
        ),
        samples=tuple(samples),
        seconds=1.0,
        environment=ENVIRONMENT,
        environment_after=ENVIRONMENT,
    )


def _in_turn(columns: dict[str, dict[str, list[float]]], number: int):
    # Every arm in every place, and every arm after every other one, as often.
    arms = list(columns.items())
    turned = arms[number % len(arms) :] + arms[: number % len(arms)] if arms else []
    return enumerate(turned if number % 2 else turned[::-1])


def sample(number: int, order: int, arm: str, figures: dict[str, float], unit: str = "ms") -> Sample:
    state = ON if arm == "candidate" else OFF
    return Sample(
        round=number,
        order=order,
        arm=arm,
        seed=number,
        setup=SETUP,
        before=state,
        after=state,
        reading=READING,
        metrics=tuple(MetricValue(metric=metric, unit=unit, value=value) for metric, value in figures.items()),
        valid=True,
    )


def three_arms(informed: float = 1.0, candidate: float = 0.8, cost: float = 1.0) -> dict[str, dict[str, list[float]]]:
    """EEVDF takes 100; the others that share of it, each with its own noise of one per cent."""
    return {
        "eevdf": {"makespan": scaled(100), "cost": scaled(50)},
        "informed": {"makespan": scaled(100 * informed, SPREAD[::-1]), "cost": scaled(50)},
        "candidate": {"makespan": scaled(100 * candidate, SPREAD[3:] + SPREAD[:3]), "cost": scaled(50 * cost)},
    }


def spoil(given: Measurements, arm: str, rounds: set[int], why: str = "exit code 1") -> Measurements:
    """Mark samples invalid."""
    return replace(
        given,
        samples=tuple(
            replace(one, valid=False, why_invalid=why) if one.arm == arm and one.round in rounds else one
            for one in given.samples
        ),
    )


def report(verdict: Verdict = Verdict.PASS, policy: str = "p") -> VerificationReport:
    check = Check(stage="load", kernel="6.18", verdict=verdict, text="", seconds=1.0)
    return VerificationReport(
        policy=policy, source_sha256="1" * 64, stages=("load",), verdict=verdict, checks=(check,), objects=()
    )
