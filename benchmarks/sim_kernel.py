"""A small kernel's build on 172 CPUs, nearly all of them idle: each policy by EEVDF, and what that depends on.

python benchmarks/sim_kernel.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simulating import ROOT, SEEDS, Trial, compared, factor, figure_of, machine_of, table

from schedops.model.machine import FrequencyRamp, Machine
from schedops.model.workload import Workload
from schedops.repository import load_workload

MACHINE = "server-172"
WORKLOADS = ("tiny-kernel", "kernel-build")
POLICIES = ("warm-cores", "random", "interactive", "fifo", "weighted-vtime")
FEWER = SEEDS[:10]  # for what the result depends on
MS = 1_000_000


def main() -> None:
    header = (
        "workload",
        "policy",
        "EEVDF, ms",
        "its busy CPUs",
        "room (EEVDF by floor)",
        "policy, ms",
        "EEVDF by policy",
    )
    table(header, (_line(Trial(workload=name, machine=MACHINE, policy=one)) for name in WORKLOADS for one in POLICIES))
    print(f"\nwarm-cores on tiny-kernel, {len(FEWER)} seeds:\n")
    table(("changed", *header[2:]), ([what, *_line(trial)[2:]] for what, trial in _changed()))


def _changed() -> Iterator[tuple[str, Trial]]:
    machine = machine_of(MACHINE)
    first = Trial(workload="tiny-kernel", machine=machine, policy="warm-cores", seeds=FEWER)
    assert machine.frequency is not None
    for process_ms in (2.0, 10.0, 20.0, 0.0):
        yield (
            f"processes of {process_ms:g} ms" if process_ms else "one process each",
            replace(first, workload=_with_processes(process_ms)),
        )
    for ramp_ms in (1, 2, 5, 10, 40):
        yield f"full speed after {ramp_ms} ms", replace(first, machine=_with_ramp(machine, machine.frequency, ramp_ms))
    yield "no loss of frequency", replace(first, machine=replace(machine, frequency=None))
    yield "no idle states", replace(first, machine=replace(machine, idle_states=()))
    yield "neither", replace(first, machine=replace(machine, frequency=None, idle_states=()))


def _with_processes(process_ms: float) -> Workload:
    found = load_workload(ROOT, "tiny-kernel")
    assert found.graph is not None
    assert found.graph.kernel is not None
    kernel = replace(found.graph.kernel, process_ms=process_ms)
    return replace(found, graph=replace(found.graph, kernel=kernel))


def _with_ramp(machine: Machine, ramp: FrequencyRamp, ms: int) -> Machine:
    return replace(machine, frequency=replace(ramp, ramp_ns=ms * MS))


def _line(trial: Trial) -> list[str]:
    found = compared(trial)
    makespan, busy = figure_of(found, "makespan_ms"), figure_of(found, "utilisation")
    return [
        found.workload,
        trial.policy,
        f"{makespan.baseline or 0.0:.0f}",
        f"{100 * (busy.baseline or 0.0):.1f} %",
        f"{figure_of(found, 'makespan_per_floor').baseline or 0.0:.2f}x",
        f"{makespan.policy or 0.0:.0f}",
        factor(makespan),
    ]


if __name__ == "__main__":
    main()
