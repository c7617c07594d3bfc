"""How fast the simulator is: events per second of every library policy on 8 CPUs, and what an event costs on 172.

One event is one decision of a CPU, wake-up, tick, or completed step.
CPU time counts, with setting up: ``python benchmarks/sim_speed.py``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import flat_machine
from schedops.model.simulation import Instruction, Op, SimCgroup, SimPlan, SimResult, SimTask
from schedops.ports import SimScheduler
from schedops.repository.library import load_policies

BUILT_IN = ("fifo", "random", "eevdf")
RUN_NS = (100_000, 300_000, 777_777, 2_000_000)
SLEEP_NS = (100_000, 3_000_000, 500_000)


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


def main() -> None:
    simulator = WasmSimulator()
    library = [SimScheduler(name=one.policy.name, source=one) for one in load_policies(Path(__file__).parent.parent)]
    schedulers = [SimScheduler(name=name) for name in BUILT_IN] + library
    wanted = sys.argv[1:]
    print("| scheduler | first event, ms | 8 CPUs x 40 tasks, M events/s | ns/event | 172 x 10,000, 1 s | ns/event |")
    print("|---|---|---|---|---|---|")
    for scheduler in schedulers:
        if wanted and scheduler.name not in wanted:
            continue
        timed(simulator, busy_plan(40, 0.001), 8, scheduler)
        _, first = timed(WasmSimulator(), busy_plan(40, 1e-6), 8, scheduler)
        small, small_s = timed(simulator, busy_plan(40, 20), 8, scheduler)
        large, large_s = timed(simulator, busy_plan(10_000, 1), 172, scheduler)
        ends = "" if small.end.verdict == large.end.verdict == "done" else f" ({small.end}, {large.end})"
        name = f"{scheduler.name}{' (policy)' if scheduler.source else ''}{ends}"
        rate, cost = small.events / small_s / 1e6, small_s / small.events * 1e9
        large_cost = large_s / large.events * 1e9
        print(f"| {name} | {first * 1e3:.0f} | {rate:.2f} | {cost:.0f} | {large_s:.2f} s | {large_cost:.0f} |")


if __name__ == "__main__":
    main()
