from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.simulations import Default


@pytest.fixture(scope="session")
def simulated(sim_modules: Path) -> Default:
    """Runs a plan with the kernel's default scheduler."""
    return Default(sim_modules)
