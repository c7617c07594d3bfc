from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator


@pytest.fixture(scope="session")
def simulator(sim_modules: Path) -> WasmSimulator:
    """The real one."""
    return WasmSimulator(sim_modules)
