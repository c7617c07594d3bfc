"""The port ``Simulator`` for those who may never need it: wasmtime is imported when something is first run."""

from __future__ import annotations

from schedops.model.machine import Machine
from schedops.model.simulation import SimPlan, SimResult
from schedops.ports import SimScheduler, Simulator


class LaterSimulator:
    """Implements ``Simulator``."""

    def __init__(self) -> None:
        self._real: Simulator | None = None

    def run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
        """See the port."""
        if self._real is None:
            from schedops.adapters.sim.simulator import WasmSimulator  # noqa: PLC0415 - 0.1 s; a kept answer needs none

            self._real = WasmSimulator()
        return self._real.run(plan, machine, scheduler, trace=trace)
