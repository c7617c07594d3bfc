"""How fast the simulator is: events per second of every library policy on 8 CPUs, and what an event costs on 172.

One event is one decision of a CPU, wake-up, tick, or completed step.
CPU time counts, with setting up and reading the result: ``python benchmarks/sim_speed.py [SCHEDULER...]``. At the end,
wall-clock time of the whole command in new processes with a warm cache: the first event comes before the last.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from schedops import proc
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import flat_machine
from schedops.model.simulation import Instruction, Op, SimCgroup, SimPlan, SimResult, SimTask
from schedops.ports import SimScheduler
from schedops.repository import load_workload
from schedops.repository.library import load_policies
from schedops.sim.programs.plan import plan_of

BUILT_IN = ("fifo", "random", "eevdf")
RUN_NS = (100_000, 300_000, 777_777, 2_000_000)
SLEEP_NS = (100_000, 3_000_000, 500_000)
ROOT = Path(__file__).parent.parent
LONGER = 20  # times busy-builds' jobs, and eight times as many builds: minutes of simulated time
REQUESTS_MS = 60_000
COMMAND = ("simulate", "fifo", "--workload", "ci-builds", "--seeds", "1")
STARTS = 15


def busy_plan(tasks: int, seconds: float) -> SimPlan:
    """Tasks of ten builds that run and sleep without end."""
    program = (Instruction(Op.RUN_TABLE, 0), Instruction(Op.SLEEP_TABLE, 1), Instruction(Op.LOOP, 0, 0, 0))
    builds = tuple(SimCgroup(name=f"build-{number}") for number in range(10))
    return SimPlan(
        seed=1,
        end_ns=int(seconds * 1e9),
        programs=(program,),
        tables=(RUN_NS, SLEEP_NS),
        cgroups=(SimCgroup(name="/", parent=-1), *builds),
        tasks=tuple(SimTask(name=f"t{task}", program=0, cgroup=1 + task % len(builds)) for task in range(tasks)),
    )


def timed(simulator: WasmSimulator, plan: SimPlan, cpus: int, scheduler: SimScheduler) -> tuple[SimResult, float]:
    start = time.process_time()
    result = simulator.run(plan, flat_machine(cpus), scheduler, trace=False)
    return result, time.process_time() - start


def real_plans() -> dict[str, SimPlan]:
    """Workloads of this repository, long enough that setting up does not count."""
    builds, requests = load_workload(ROOT, "busy-builds"), load_workload(ROOT, "web-requests")
    assert builds.builds is not None
    assert requests.requests is not None
    long = replace(builds, builds=replace(builds.builds, job_work=LONGER * builds.builds.job_work))
    longer = replace(requests, requests=replace(requests.requests, duration_ms=REQUESTS_MS, work_us=500))
    return {
        "builds": plan_of(long, machine=flat_machine(8), seed=1, scale=8),
        "requests": plan_of(longer, machine=flat_machine(8), seed=1),
    }


def start_ms() -> list[int]:
    """Of a command that simulates two short runs, from its start to its end, sorted."""
    words = (sys.executable, "-m", "schedops", *COMMAND)
    proc.checked(words, deadline_s=60, cwd=ROOT)
    return sorted(round(1e3 * proc.checked(words, deadline_s=60, cwd=ROOT).seconds) for _ in range(STARTS))


def main() -> None:
    simulator = WasmSimulator()
    library = [SimScheduler(name=one.policy.name, source=one) for one in load_policies(ROOT)]
    schedulers = [SimScheduler(name=name) for name in BUILT_IN] + library
    wanted = sys.argv[1:]
    real = real_plans()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs; M events/s on 8 CPUs\n")
    print(
        "| scheduler | first event, ms | 40 tasks | builds | requests | 172 x 10,000, 1 s | ns/event, 8 and 172 CPUs |"
    )
    print("|---|---|---|---|---|---|---|")
    for scheduler in schedulers:
        if wanted and scheduler.name not in wanted:
            continue
        timed(simulator, busy_plan(40, 0.001), 8, scheduler)
        _, first = timed(WasmSimulator(), busy_plan(40, 1e-6), 8, scheduler)
        runs = [timed(simulator, plan, 8, scheduler) for plan in (busy_plan(40, 20), *real.values())]
        large, large_s = timed(simulator, busy_plan(10_000, 1), 172, scheduler)
        bad = {run.end.verdict for run, _ in (*runs, (large, large_s))} - {"done"}
        name = f"{scheduler.name}{' (policy)' if scheduler.source else ''}{f' {bad}' if bad else ''}"
        rates = " | ".join(f"{run.events / seconds / 1e6:.2f}" for run, seconds in runs)
        small, small_s = runs[0]
        costs = f"{small_s / small.events * 1e9:.0f}, {large_s / large.events * 1e9:.0f}"
        print(f"| {name} | {first * 1e3:.0f} | {rates} | {large_s:.2f} s | {costs} |", flush=True)
    starts = start_ms()
    print(f"\nschedops {' '.join(COMMAND)}: {starts[0]} to {starts[-1]} ms, median {statistics.median(starts)}")
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
