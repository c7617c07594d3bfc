"""What the benchmarks of the gate have in common: comparisons with chosen figures, and what a gate is wrong about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from schedops.bench.design import arms_in_order
from schedops.gate.decide import judge, measured_conditions
from schedops.model.decision import Decision, Reason
from schedops.model.guest import SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.measurements import Measurements, MetricValue, RoundPlan, Sample
from schedops.model.rung import SIMULATED
from schedops.model.verdict import Verdict
from schedops.model.workload import Workload
from schedops.report.bench_page import change

Figures = Mapping[str, float]  # by metric
Runs = Callable[[str, int], Figures]  # (arm, round) -> what that run measured
# Conditions on what a comparison in memory does not have: a guest, and a policy in it.
NOT_RUN = frozenset({"policy in charge", "rung", "environment"})
_POLICY = "candidate"
_STATE = SchedState(state="disabled", ops="", enable_seq=0, switch_all=0, nr_rejected=0, task_on_ext=False)
_SETUP = RunSetup(cgroup_per_group=False, nice=(), hint_ns=(), name_seed=0)
_READING = RunReading(
    start_us=(),
    end_us=(),
    cpu_us=(),
    run_delay_us=(),
    voluntary_switches=(),
    involuntary_switches=(),
    exit_codes=(),
    hints_accepted=0,
    wall_us=0,
    context_switches=0,
    wakeups=0,
)


def without(workload: Workload, policy: str, left_out: frozenset[str]) -> Callable[[Measurements], Decision]:
    """The gate on measurements alone, without the conditions *left_out*."""

    def conditions(part: Measurements) -> tuple[Reason, ...]:
        return tuple(one for one in measured_conditions(workload, policy, part) if one.metric not in left_out)

    return lambda measurements: judge(workload, policy, measurements, conditions)


def one_gate(workload: Workload, looks: Sequence[int], runs: Runs, *, first: int = 0) -> Decision:
    """Measure as the bench does, look after look, until the answer is clear.

    :param first: which arm begins; see :func:`schedops.bench.design.arms_in_order`.
    """
    gate = without(workload, _POLICY, NOT_RUN)
    units = {one.metric: one.unit for one in (*workload.objectives, *workload.guards)}
    found = _begun(workload, tuple(looks))
    for look in looks:
        rounds = range(len(found.rounds), look)
        samples = [
            _sample(number, order, arm, runs(arm, number), units)
            for number in rounds
            for order, arm in enumerate(arms_in_order(first + number))
        ]
        found = replace(
            found,
            rounds=(*found.rounds, *(RoundPlan(round=n, plan=_plan(n)) for n in rounds)),
            samples=(*found.samples, *samples),
        )
        decision = gate(found)
        if decision.verdict is not Verdict.INCONCLUSIVE:
            break
    return decision


def wrong_about(decision: Decision) -> list[str]:
    """What a gate claims to see where there is nothing: a gain, or a hard guard broken."""
    wrong = [
        f"{reason.metric}, {reason.arm} against {reason.baseline}: {change(reason)}"
        for reason in decision.reasons
        if reason.role == "guard" and reason.hard and reason.verdict is Verdict.FAIL and reason.arm == "candidate"
    ]
    if decision.verdict is Verdict.PASS:
        wrong.append("PASS")
    if decision.recommendation != "nothing":
        wrong.append(f"recommends {decision.recommendation}")
    return wrong


def _begun(workload: Workload, looks: tuple[int, ...]) -> Measurements:
    return Measurements(
        workload=workload.name,
        policy=_POLICY,
        kernel="none",
        cpus=2,
        accelerator="none",
        object_sha256="",
        rung=SIMULATED,
        warmup_rounds=0,
        rounds=(),
        samples=(),
        seconds=0.0,
        looks=looks,
    )


def _plan(number: int) -> JobPlan:
    return JobPlan(seed=number, cpus=2, groups=(), jobs=())


def _sample(number: int, order: int, arm: str, figures: Figures, units: Mapping[str, str]) -> Sample:
    return Sample(
        round=number,
        order=order,
        arm=arm,
        seed=number,
        setup=_SETUP,
        before=_STATE,
        after=_STATE,
        reading=_READING,
        metrics=tuple(MetricValue(metric=name, unit=units[name], value=figures[name]) for name in units),
        valid=True,
    )
