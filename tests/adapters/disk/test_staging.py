from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schedops.adapters.disk.staging import publish, staging, sweep


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "parent"


HOLD = """
import sys, time
from pathlib import Path
from schedops.adapters.disk.staging import staging
with staging(Path(sys.argv[1])) as place:
    (place / "half").write_text("x")
    print(place.name, flush=True)
    time.sleep(20)
"""


def test_what_is_published_appears_whole_and_nothing_else_stays(parent: Path) -> None:
    with staging(parent) as place:
        (place / "entry").mkdir()
        (place / "entry" / "a").write_text("1")
        assert publish(place / "entry", parent / "final")
    assert [path.name for path in parent.iterdir()] == ["final"]
    assert (parent / "final" / "a").read_text() == "1"


def test_the_first_one_stays(parent: Path) -> None:
    (parent / "final").mkdir(parents=True)
    (parent / "final" / "theirs").touch()
    with staging(parent) as place:
        (place / "entry").mkdir()
        assert not publish(place / "entry", parent / "final")
    assert [path.name for path in (parent / "final").iterdir()] == ["theirs"]


def test_an_error_leaves_nothing(parent: Path) -> None:
    with pytest.raises(RuntimeError), staging(parent) as place:  # noqa: PT012 - what happens inside is the point
        (place / "half").touch()
        raise RuntimeError
    assert list(parent.iterdir()) == []


def test_killed_processes_are_swept_and_living_ones_are_not(parent: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(parent)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as living,
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as dead,
    ):
        assert living.stdout is not None
        assert dead.stdout is not None
        names = [living.stdout.readline().strip(), dead.stdout.readline().strip()]
        assert all((parent / name / "half").is_file() for name in names)
        os.kill(dead.pid, signal.SIGKILL)
        dead.wait(timeout=10)
        sweep(parent)
        assert sorted(path.name for path in parent.iterdir()) == sorted([names[0], f"{names[0]}.lock"])
        living.kill()
