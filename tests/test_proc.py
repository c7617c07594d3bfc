"""The door to other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schedops import proc
from schedops.errors import Unavailable


def test_output_code_and_input_come_through() -> None:
    done = proc.run(["sh", "-c", "cat; echo err >&2; exit 7"], deadline_s=10, stdin=b"in")
    assert (done.returncode, done.stdout, done.stderr, done.ok) == (7, b"in", b"err\n", False)


def test_environment_is_built_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    said = proc.run(["env"], deadline_s=10, env={"EXTRA": "1"}).stdout.decode()
    assert "SECRET_TOKEN" not in said
    assert "EXTRA=1" in said
    assert "LC_ALL=C.UTF-8" in said


def test_missing_tool_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        proc.run(["no-such-tool-anywhere"], deadline_s=1)
    assert (caught.value.code, caught.value.exit_code) == ("tool-missing", 69)


def test_deadline_kills_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        proc.run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"], deadline_s=0.5)
    assert caught.value.code == "command-timeout"
    child = int((tmp_path / "pid").read_text())
    assert not _alive(child)


def test_flood_is_cut_off() -> None:
    with pytest.raises(Unavailable) as caught:
        proc.run(["yes"], deadline_s=20, max_output_bytes=10_000)
    assert caught.value.code == "command-flood"


def test_checked_shows_the_last_words() -> None:
    with pytest.raises(Unavailable) as caught:
        proc.checked(["sh", "-c", "printf 'no \\033[31mluck' >&2; exit 3"], deadline_s=10)
    assert "exited with 3" in caught.value.message
    assert caught.value.detail == "no [31mluck"


def test_spawned_process_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import time\nfrom schedops import proc\n"
        f"p = proc.spawn(['sleep', '60']); open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid)); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    child = int(_wait_for(tmp_path / "pid"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(child)


def test_printable_strips_escape_codes_and_keeps_lines() -> None:
    assert proc.printable(b"a\x1b[2J\tb\r\n\x00\xffc") == "a[2J\tb\n�c"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def _wait_for(path: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.02)
    raise AssertionError(f"{path} never appeared")
