"""The simulator's side: the plans of the same rounds, on a machine like the guest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schedops.errors import Undecided
from schedops.model.machine import Machine
from schedops.model.simulation import SimVerdict
from schedops.ports import SimScheduler, Simulator

from .cells import AGAIN, Arm, load, run_of
from .judging import Values
from .measures import values_of


def simulate(
    workloads: Iterable[str], arms: Sequence[Arm], rounds: Iterable[int], *, machine: Machine, simulator: Simulator
) -> dict[str, dict[int, dict[str, Values]]]:
    """Workload, round, arm: every figure. The second EEVDF would be the first one anew, and is left out.

    :raises Undecided: a run did not get to its end.
    """
    numbers = tuple(rounds)
    found: dict[str, dict[int, dict[str, Values]]] = {}
    for name in workloads:
        workload = load(name)
        for number in numbers:
            for arm in arms:
                if arm.name == AGAIN:
                    continue
                run = run_of(workload, arm, number=number, machine=machine)
                result = simulator.run(run.plan, machine, SimScheduler(arm.name, arm.source), trace=False)
                if result.end.verdict != SimVerdict.DONE:
                    what = f"{arm.name} on {name} ended as {result.end.verdict}: {result.end.message}"
                    raise Undecided("not-simulated", what, where=f"round {number}")
                found.setdefault(name, {}).setdefault(number, {})[arm.name] = _as_seen(values_of(run, result), machine)
    return found


def _as_seen(values: Values, machine: Machine) -> Values:
    # By the task that was woken: the switch to it is over then, which to the simulator comes after the wake-up.
    switch_us = machine.switch_ns / 1000
    return {name: value + switch_us if name.startswith("wakeup_") else value for name, value in values.items()}
