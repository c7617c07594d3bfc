"""The whole line on a real kernel, as a user runs it: killed, interrupted, resumed, repeated."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")

# The builds of ci-builds, a sixth as long: what is tested here is the line, not the figures.
SMALL = {
    "job_work: 12000000": "job_work: 2000000",
    "arrival_gap_ms: 200": "arrival_gap_ms: 35",
    "rounds: 30\nlooks: [10, 20, 30]": "rounds: 6\nlooks: [6]",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git repository with our policies and a quick workload."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "policies", root / "policies")
    workload = root / "policies/workloads/ci-builds.yaml"
    text = workload.read_text()
    for old, new in SMALL.items():
        assert old in text
        text = text.replace(old, new)
    workload.write_text(text)
    for words in (["init", "-q", "-b", "trunk"], ["add", "-A"], ["commit", "-q", "-m", "policies"]):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *who, *words], cwd=root, check=True)
    return root


class Propose:
    """``schedops propose`` in a process of its own; its stderr is read line by line."""

    def __init__(self, checkout: Path, *words: str) -> None:
        # Whoever started the tests may ignore SIGINT, as a shell does for what it runs in the background.
        program = ["env", "--default-signal=INT", sys.executable, "-m", "schedops"]
        argv = [*program, "propose", *words, "--output", "json"]
        self.process = subprocess.Popen(
            argv, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line)

    def wait_for(self, stage: str, *, within_s: float = 240) -> None:
        """Until the stage has finished."""
        deadline = time.monotonic() + within_s
        while not any(line[2:].startswith(stage) for line in self.lines):
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() < deadline, "".join(self.lines)
            time.sleep(0.02)

    def end(self, *, within_s: float = 400) -> tuple[int, dict]:
        """Exit code and envelope."""
        out = self.process.stdout.read()
        code = self.process.wait(timeout=within_s)
        self._reader.join(timeout=10)
        self.process.stdout.close()
        self.process.stderr.close()
        return code, json.loads(out) if out else {}


@pytest.fixture
def propose(checkout: Path) -> Iterator[object]:
    started: list[Propose] = []

    def start(*words: str) -> Propose:
        started.append(Propose(checkout, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()
        one.process.stderr.close()


def emulators(cache: str) -> list[int]:
    """QEMU processes that use this cache."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"qemu-system" in command and cache.encode() in command:
            found.append(int(entry.name))
    return found


def gone(cache: str, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while emulators(cache) and time.monotonic() < deadline:
        time.sleep(0.05)
    return emulators(cache) == []


def snapshot(root: Path) -> dict[str, bytes]:
    """Work tree, index and branches; not the directory that is ours."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".schedops" not in path.relative_to(root).parts
    }


@pytest.mark.vm
def test_workload_to_pull_request_and_again(checkout: Path, propose) -> None:
    before = snapshot(checkout)
    code, envelope = propose("--workload", "ci-builds").end()
    assert code in (0, 1, 3), envelope  # a busy host may leave the figures open; the line has to hold all the same
    assert snapshot(checkout) == before
    if code == 1:
        assert envelope["errors"][0]["code"] == "not-proposed"
        assert not (checkout / ".schedops/forge.git").exists() or "refs/schedops/pulls" not in _refs(checkout)
        return
    data = envelope["data"]
    assert data["action"] == "created"
    assert data["pull"]["number"] == 1
    assert data["pull"]["draft"] is (code == 3)
    assert [cost["stage"] for cost in data["evidence"]["costs"]] == [
        "analyze", "hints", "search", "agent", "verify", "bench", "gate",
    ]  # fmt: skip

    refs = _refs(checkout)
    again = propose("--workload", "ci-builds")
    code_again, repeated = again.end()
    assert (code_again, repeated["data"]["action"]) == (code, "unchanged")
    assert repeated["data"]["evidence"] == data["evidence"]
    assert _refs(checkout) == refs
    assert [line[0] for line in again.lines if line[2:].startswith("bench")] == ["="]


@pytest.mark.vm
def test_a_killed_run_goes_on_and_repeats_no_finished_stage(checkout: Path, propose) -> None:
    cache = os.environ["SCHEDOPS_CACHE"]
    first = propose("--workload", "ci-builds")
    first.wait_for("agent")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert gone(cache, within_s=5)
    run = next(path.name for path in (checkout / ".schedops/runs").iterdir() if RUN.fullmatch(path.name))

    resumed = propose("--resume", run)
    resumed.wait_for("agent")
    resumed.wait_for("verify")
    assert [line[0] for line in resumed.lines if line[2:].startswith(("analyze", "agent"))] == ["=", "="]

    # The second time by Ctrl-C, while it measures.
    resumed.process.send_signal(signal.SIGINT)
    code, envelope = resumed.end(within_s=10)
    assert (code, envelope["errors"][0]["code"]) == (130, "interrupted")
    assert gone(cache, within_s=2)
    assert [
        path for path in (checkout / ".schedops").rglob("*") if path.name.startswith(".") and path.suffix == ".tmp"
    ] == []
    state = json.loads((checkout / ".schedops/runs" / run / "run.json").read_text())["state"]
    assert state == "interrupted"


@pytest.mark.vm
def test_stopped_by_a_supervisor_is_as_by_ctrl_c(checkout: Path, propose) -> None:
    run = propose("--workload", "ci-builds")
    run.wait_for("agent")
    run.process.send_signal(signal.SIGTERM)
    code, envelope = run.end(within_s=10)
    assert (code, envelope["errors"][0]["code"]) == (130, "interrupted")
    assert gone(os.environ["SCHEDOPS_CACHE"], within_s=2)


@pytest.mark.vm
def test_two_runs_at_once_do_not_disturb_each_other(checkout: Path, propose) -> None:
    runs = [propose("--workload", "ci-builds", "--rounds", "1", "--dry-run", "--seed", seed) for seed in ("1", "2")]
    ends = [run.end() for run in runs]
    for code, envelope in ends:
        assert code == 3, envelope  # one round cannot decide anything
        assert envelope["data"]["decision"]["verdict"] == "INCONCLUSIVE"
    assert len({envelope["data"]["run"] for _, envelope in ends}) == 2


def _refs(checkout: Path) -> str:
    argv = ["git", "-C", str(checkout / ".schedops/forge.git"), "for-each-ref"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
