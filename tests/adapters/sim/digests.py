"""Digests of runs, for ``test_digests.py``. Prints them as JSON: ``python -m tests.adapters.sim.digests CACHE``."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import astuple
from pathlib import Path

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, SimCpu, flat_machine
from schedops.ports import SimScheduler
from schedops.repository.library import load_policies
from tests.adapters.sim.conftest import ROOT, mixed_plan

MACHINES = (
    flat_machine(1),
    flat_machine(8),
    Machine(name="smt", cpus=tuple(SimCpu(core=n // 2, llc=n // 6, capacity=1024 - n // 6 * 400) for n in range(12))),
)


def digests(simulator: WasmSimulator) -> dict[str, str]:
    policies = [SimScheduler(name=one.policy.name, source=one) for one in load_policies(ROOT)]
    found = {}
    for scheduler in (SimScheduler(name="random"), *policies):
        for machine in MACHINES:
            result = simulator.run(mixed_plan(), machine, scheduler, trace=True)
            figures = astuple(result)[:-1]  # nobody is ejected here
            found[f"{scheduler.name} on {machine.name}"] = hashlib.sha256(repr(figures).encode()).hexdigest()
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(digests(WasmSimulator(Path(sys.argv[1]))), indent=1, sort_keys=True) + "\n")
