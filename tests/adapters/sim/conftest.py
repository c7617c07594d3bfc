from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, flat_machine
from schedops.model.policy import ParamValue, Policy, PolicySource, Provenance
from schedops.model.simulation import Instruction, Op, SimPlan, SimResult, SimTask
from schedops.ports import SimScheduler

ROOT = Path(__file__).parents[3]
MS = 1_000_000


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> WasmSimulator:
    for tool in ("clang-19", "wasm-ld-19"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return WasmSimulator(tmp_path_factory.mktemp("simulator"))


def run(
    simulator: WasmSimulator,
    plan: SimPlan,
    scheduler: SimScheduler | str = "fifo",
    machine: Machine | int = 1,
    *,
    trace: bool = False,
) -> SimResult:
    scheduler = SimScheduler(name=scheduler) if isinstance(scheduler, str) else scheduler
    machine = flat_machine(machine) if isinstance(machine, int) else machine
    return simulator.run(plan, machine, scheduler, trace=trace)


def policy(text: str, *params: tuple[str, int]) -> SimScheduler:
    described = Policy(
        name="under-test",
        description="",
        tags=(),
        classes=(),
        source="policy.bpf.c",
        ops_name="under_test",
        loses_when="",
        provenance=Provenance(author="human", pathway="create"),
    )
    include = ROOT / "policies/include"
    headers = tuple((path.relative_to(include).as_posix(), path.read_text()) for path in sorted(include.rglob("*.h")))
    source = PolicySource(policy=described, path="policy.bpf.c", text=text, headers=headers)
    return SimScheduler(
        name="under-test", source=source, params=tuple(ParamValue(name=name, value=value) for name, value in params)
    )


def step(op: Op, *operands: int) -> Instruction:
    return Instruction(op, *operands)


def mixed_plan(tasks: int = 20, end_ns: int = 500 * MS, *, seed: int = 7) -> SimPlan:
    """Tasks that run and sleep for random times, and two that never sleep."""
    sleeper = (step(Op.RUN_TABLE, 0), step(Op.SLEEP_TABLE, 1), step(Op.LOOP, 0))
    hog = (step(Op.RUN, 10 * MS), step(Op.LOOP, 0))
    return SimPlan(
        seed=seed,
        end_ns=end_ns,
        programs=(sleeper, hog),
        tables=((100_000, 300_000, 777_777, 2_000_000), (100_000, 3_000_000, 500_000)),
        tasks=tuple(SimTask(name=f"task-{number}", program=int(number < 2)) for number in range(tasks)),
    )
