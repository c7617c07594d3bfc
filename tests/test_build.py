"""Lock files, bootstrap script and Makefile: what `make setup` rests on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH directory with what every Debian has, and no Python; the user is not root."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("flock", "cat", "sha256sum", "cut", "rm", "mv", "sh"):
        (directory / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    program(directory / "id", "echo 1000")
    return directory


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def bootstrap(tools: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    argv = ["/bin/sh", str(ROOT / "scripts/bootstrap.sh"), str(venv)]
    return subprocess.run(argv, cwd=ROOT, env={"PATH": str(tools)}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_requirement_has_hashes_and_no_host_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^([a-z0-9-]+)==[^ ]+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert pinned == sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)))
    assert "://" not in text
    assert "--index" not in text


def test_locks_hold_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, dev = ((ROOT / lock).read_text() for lock in LOCKS)
    for line in project["dependencies"]:
        name = re.split(r"[>=<~]", line)[0].lower()
        assert f"\n{name}==" in runtime
        assert f"\n{name}==" in dev
    for line in project["optional-dependencies"]["dev"]:
        assert f"\n{re.split(r'[>=<~]', line)[0].lower()}==" in dev


def test_runtime_lock_is_part_of_the_dev_lock() -> None:
    pins = [set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS]
    assert pins[0] < pins[1]


def test_without_python_the_line_to_run_is_printed(tools: Path, tmp_path: Path) -> None:
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 69
    assert done.stderr == (
        "setup: Python 3.11 or newer is missing. Run this, then the same command again:\n"
        "  sudo apt-get install -y --no-install-recommends python3 python3-venv\n"
    )


def test_without_the_venv_module_the_line_to_run_is_printed(tools: Path, tmp_path: Path) -> None:
    program(tools / "python3", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 69
    assert "sudo apt-get install -y --no-install-recommends python3-venv\n" in done.stderr


def test_an_old_python_does_not_count(tools: Path, tmp_path: Path) -> None:
    program(tools / "python3", "exit 1")
    assert bootstrap(tools, tmp_path / "venv").returncode == 69
    assert not (tmp_path / "venv").exists()


def test_make_says_what_it_can_do() -> None:
    # Not as a child of the make that may run these tests: that one says which directory it enters.
    apart = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=apart)
    targets = [line.split()[1] for line in done.stdout.splitlines()]
    assert targets == ["demo", "test", "setup", "matrix", "lint", "pages", "lock", "clean"]
