"""Same inputs, same bytes: on every machine, which the digests in the repository stand for, and in every surrounding.

They change with the engine or a policy; what they are now: ``python -m tests.adapters.sim.digests CACHE``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from schedops.adapters.sim.simulator import WasmSimulator
from tests.adapters.sim.conftest import ROOT
from tests.adapters.sim.digests import digests

KNOWN = json.loads((ROOT / "tests/data/simulator-digests.json").read_text(encoding="utf-8"))


def test_runs_are_what_they_were(simulator: WasmSimulator) -> None:
    assert digests(simulator) == KNOWN


def test_directory_locale_and_hash_seed_change_nothing(simulator: WasmSimulator, tmp_path: Path) -> None:
    surroundings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    odd = {"LC_ALL": "tr_TR.UTF-8", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "4711", "COLUMNS": "7"}
    argv = [sys.executable, "-m", "tests.adapters.sim.digests", str(simulator._root)]
    done = subprocess.run(argv, cwd=tmp_path, env=surroundings | odd, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == KNOWN
