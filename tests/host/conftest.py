"""The launcher, built once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters import host_programs


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCHEDOPS_CACHE", str(tmp_path_factory.mktemp("host-programs")))
        return host_programs.hint_launcher()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a .schedops/, and the launcher's home."""
    top = tmp_path / "project"
    (top / ".schedops").mkdir(parents=True)
    monkeypatch.chdir(top)
    return top
