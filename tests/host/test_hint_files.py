"""Whose files ``schedops-hint`` reads and writes, and whom it tells."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from schedops.model.jobs import Hint, Hints
from schedops.workloads.learn.job_key import key_of_name, key_of_output
from schedops.workloads.learn.launches import HEADER
from schedops.workloads.learn.table import table_bytes
from tests.host.loader import Loader

pytestmark = pytest.mark.usefixtures("project")


def known(**us: int) -> bytes:
    hints = [Hint(key=key, cpu_us=value, n=1, spread=None, measured="2026-11-21") for key, value in us.items()]
    return table_bytes(Hints(workload="w", hints=tuple(hints)))


def run(launcher: Path, *words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([launcher, *words], capture_output=True, check=True, timeout=60, env={**os.environ, **env})


@pytest.mark.parametrize("answers", [True, False])
def test_the_commands_own_process_tells_the_loader(launcher, project, tmp_path, answers):
    (project / ".schedops/hints.table").write_bytes(known(**{key_of_name("k"): 1234, key_of_name("z"): 9}))
    with Loader(tmp_path / "s", answers=answers) as loader:
        said = run(launcher, "--key", "k", "sh", "-c", "echo $$", SCHEDOPS_HINT_SOCKET=str(loader.path))
    assert loader.heard == [(int(said.stdout), 1_234_000)]


def test_a_command_that_is_not_known_by_its_arguments_is_known_by_its_output(launcher, project, tmp_path):
    (project / ".schedops/hints.table").write_bytes(known(**{key_of_output("x/a.o"): 77}))
    for words in (("-c", "a.c", "-o", "x/a.o"), ("-ox/a.o",)):
        with Loader(tmp_path / f"s{len(words)}") as loader:
            run(launcher, "echo", *words, SCHEDOPS_HINT_SOCKET=str(loader.path))
        assert [ns for _, ns in loader.heard] == [77_000]


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"SCHHINT1",
        known(**{key_of_name("k"): 5})[:-1],
        known(**{key_of_name("k"): 5}) + b"x",
        b"SCHHINT2" + known(**{key_of_name("k"): 5})[8:],
        b"SCHHINT1" + b"\xff" * 8,
        b"SCHHINT1" + (1 << 60).to_bytes(8, "little"),
        known(**{key_of_name("other"): 5}),
    ],
)
def test_without_a_sound_table_that_knows_the_job_nobody_is_told(launcher, project, tmp_path, table):
    (project / ".schedops/hints.table").write_bytes(table)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        listening.setblocking(False)
        run(launcher, "--key", "k", "true", SCHEDOPS_HINT_SOCKET=str(tmp_path / "s"))
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_no_loader_is_no_matter(launcher, project, tmp_path):
    (project / ".schedops/hints.table").write_bytes(known(**{key_of_name("k"): 5}))
    for path in (tmp_path / "absent", tmp_path / ("long" * 50), tmp_path):
        run(launcher, "--key", "k", "true", SCHEDOPS_HINT_SOCKET=str(path))


def test_a_link_is_not_followed_to_a_log_or_a_table(launcher, project, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(HEADER + b"\n")
    log = project / ".schedops/hints.log"
    log.symlink_to(elsewhere)
    run(launcher, "true")
    run(launcher, "true", SCHEDOPS_HINT_LOG=str(log))
    assert elsewhere.read_bytes() == HEADER + b"\n"
    log.unlink()
    run(launcher, "true", SCHEDOPS_HINT_LOG=str(elsewhere))
    assert elsewhere.read_bytes().count(b"\n") == 2


def test_a_link_in_place_of_the_directory_is_not_followed(launcher, project, tmp_path):
    (tmp_path / "theirs").mkdir()
    (project / ".schedops").rmdir()
    (project / ".schedops").symlink_to(tmp_path / "theirs")
    run(launcher, "true")
    assert list((tmp_path / "theirs").iterdir()) == []


def test_nothing_is_appended_to_a_file_that_is_no_log_or_full(launcher, project):
    for content in (b"export PATH=x\n", HEADER + b"\n" + bytes(16 << 20)):
        log = project / ".schedops/hints.log"
        log.write_bytes(content)
        run(launcher, "true")
        assert log.read_bytes() == content


def test_a_log_of_another_user_is_left_alone(launcher, project):
    log = project / ".schedops/hints.log"
    log.write_bytes(HEADER + b"\n")
    if os.geteuid() == 0:
        os.chown(log, 65534, 65534)
        run(launcher, "true")
        assert log.read_bytes() == HEADER + b"\n"
    run(launcher, "true", SCHEDOPS_HINT_LOG="/dev/null", SCHEDOPS_HINT_TABLE="/dev/zero")
