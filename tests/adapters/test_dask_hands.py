"""Cells on a real Dask cluster over TCP: the same bytes as here, also when a worker is killed in the middle."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from schedops.adapters.dask_hands import DaskHands
from schedops.adapters.package import package_digest
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.cli.suite_hands import Trouble, cell_here, hands_of
from schedops.errors import Unavailable
from schedops.model.machine import flat_machine
from schedops.pipeline.suite import Entrant, SuiteSpec, run_suite
from schedops.ports import SimScheduler
from schedops.repository import find_policy, load_workload
from schedops.schema.canonical import canonical_bytes
from schedops.schema.files import data_dir

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask.distributed is not installed"),
    pytest.mark.filterwarnings("default"),  # Dask's own are not ours
]
ROOT = data_dir("policies").parent
WAIT_S = 60


class Cluster:
    """A scheduler and its workers, processes of their own.

    :param address: of the scheduler.
    """

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack, self._directory = stack, directory
        file = directory / "scheduler.json"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        self.address = self._waited(file)
        self.workers = [self._worker(number) for number in range(2)]

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        place = self._directory / f"worker-{number}"
        words = ("--no-nanny", "--nthreads", "1", "--local-directory", str(place), "--death-timeout", "60")
        return self._start("dask_worker", self.address, *words)

    def _start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard", *words]
        log = self._stack.enter_context((self._directory / f"{module}.log").open("ab"))
        package = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": package, "SCHEDOPS_CACHE": str(self._directory / "cache")}
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def _waited(self, file: Path) -> str:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            try:
                return str(json.loads(file.read_bytes())["address"])
            except (FileNotFoundError, ValueError):
                time.sleep(0.1)
        raise AssertionError((self._directory / "dask_scheduler.log").read_text())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, sim_modules):
    directory = tmp_path_factory.mktemp("dask")
    (directory / "cache").mkdir()
    (directory / "cache/simulator").symlink_to(sim_modules)
    with ExitStack() as stack:
        yield Cluster(stack, directory)


class Quiet:
    def emit(self, event):
        pass


class Clock:
    def monotonic_s(self):
        return 0.0


def suite(hands, keep=None):
    source = find_policy(ROOT, "long-first")
    spec = SuiteSpec(
        tool_sha256=package_digest(),
        machine=flat_machine(4),
        entrants=(
            Entrant(label="eevdf", scheduler=SimScheduler("eevdf"), arm="eevdf"),
            Entrant(label="long-first", scheduler=SimScheduler("long-first", source), arm="candidate"),
        ),
        workloads=(load_workload(ROOT, "ci-builds"), load_workload(ROOT, "uneven-batch")),
        seeds=tuple(range(1, 7)),
    )
    return run_suite(spec, hands=hands, clock=Clock(), progress=Quiet(), keep=keep)


def test_a_worker_killed_in_the_middle_loses_nothing(cluster, sim_modules, monkeypatch):
    monkeypatch.setattr("schedops.wiring.simulator", lambda: WasmSimulator(sim_modules))
    here = suite(hands_of("local", tool_sha256=package_digest()))
    alive = list(cluster.workers)
    seen = []

    def keep(cell):
        seen.append(cell.key)
        if len(seen) == 3:
            alive[0].kill()
            alive.pop(0).wait()

    there = suite(hands_of(f"dask:{cluster.address}", tool_sha256=package_digest()), keep)
    assert canonical_bytes(there) == canonical_bytes(here)
    assert len(seen) == len(set(seen)) == len(here.cells) == 2 * 2 * 6
    assert [worker.poll() is None for worker in cluster.workers] == [False, True]


def test_a_worker_with_another_schedops_runs_nothing(cluster):
    with pytest.raises(Unavailable) as caught:
        suite(hands_of(f"dask:{cluster.address}", tool_sha256="0" * 64))
    assert caught.value.code == "other-schedops"
    assert cell_here("0" * 64, None) == Trouble(
        "other-schedops", "a worker has another schedops", "install the same one on every worker"
    )


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr("schedops.adapters.dask_hands.CONNECT_S", 1)
    with pytest.raises(Unavailable) as caught:
        suite(hands_of("dask:tcp://127.0.0.1:9", tool_sha256="0" * 64))
    assert caught.value.code == "no-cluster"


def test_the_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unavailable) as caught:
        DaskHands("tcp://127.0.0.1:9", len, key=str)
    assert (caught.value.code, caught.value.hint) == ("no-dask", "pip install 'schedops[dask]'")
