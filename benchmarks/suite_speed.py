"""How long the whole suite takes in the simulator: EEVDF against two policies, ten seeds, as one command.

python benchmarks/suite_speed.py [POLICY POLICY]

Wall-clock time on the cores that this process may use, and CPU time, which a busy machine does not make much longer;
modules are compiled before. Bar: 60 s on two cores.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from schedops import proc

BAR_S = 60.0
ROOT = Path(__file__).parent.parent
POLICIES = ("build-order", "interactive")
SEEDS = 10


def answered(*words: str) -> tuple[Any, float]:
    """What the command answers, and the seconds it took."""
    argv = (sys.executable, "-m", "schedops", "suite", "run", *words, "--output", "json")
    done = proc.checked(argv, deadline_s=1200, cwd=ROOT, max_output_bytes=64 << 20)
    return json.loads(done.stdout)["data"], done.seconds


def cpu_s() -> float:
    """CPU time of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    asked = [word for name in sys.argv[1:] or POLICIES for word in ("--policy", name)]
    answered(*asked, "--seeds", "1", "--workload", "pipe-groups")
    before = cpu_s()
    data, seconds = answered(*asked, "--seeds", str(SEEDS))
    used = cpu_s() - before
    found = data["score"]["schedulers"]
    workloads = len(found[0]["workloads"])
    cells = workloads * len(found) * SEEDS
    cores = len(os.sched_getaffinity(0))
    print("| workloads | schedulers | seeds | cells | cores | seconds | CPU seconds | bar |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(f"| {workloads} | {len(found)} | {SEEDS} | {cells} | {cores} | {seconds:.1f} | {used:.1f} | {BAR_S:.0f} |")
    print(json.dumps({"cells": cells, "cores": cores, "seconds": round(seconds, 1), "cpu_seconds": round(used, 1)}))
    return 0 if seconds <= BAR_S else 1


if __name__ == "__main__":
    sys.exit(main())
