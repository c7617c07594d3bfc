"""A local forge on a real repository."""

from __future__ import annotations

import pytest

from schedops.adapters.forge.forge_local import LocalForge


@pytest.fixture
def forge(repo, clock) -> LocalForge:
    return LocalForge(repo.root, clock=clock)
