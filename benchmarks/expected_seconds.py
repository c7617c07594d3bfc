"""How long one run of each workload takes in a guest, into the workload files (``expected_seconds``).

python benchmarks/expected_seconds.py [WORKLOAD...] [--dry]

One run is: a guest is booted, the workload prepared in it, its programs (or the jobs of its model) run once under the
default scheduler and checked; no warm-up, and programs that are not there yet are downloaded before. Two CPUs, the
files' own scale, wall-clock seconds, rounded up. The sum with warm-ups is the whole suite once: bar 15 minutes.
Of eight real CPUs nobody has measured anything. A busy machine makes it longer, so measure on a quiet one.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from pathlib import Path

from measuring import ROOT, Lines, show

from schedops.bench.run import run_once
from schedops.bench.stage import load_of
from schedops.cli.installed import installed_programs
from schedops.model.policy import Capabilities
from schedops.model.workload import Workload
from schedops.pipeline.kernels import bench_kernel
from schedops.pipeline.prepared import prepared
from schedops.pipeline.suite_guest import runs_in_a_guest
from schedops.ports import KernelImage, World
from schedops.repository import load_workload, load_workloads
from schedops.wiring import world
from schedops.workloads.real_setup import has_programs

CPUS = 2
BAR_S = 900.0
_OLD = re.compile(r"^expected_seconds:.*\n", re.MULTILINE)
_BEFORE = re.compile(r"^rounds:", re.MULTILINE)


def seconds_of(workload: Workload, image: KernelImage, joined: World) -> tuple[float, float]:
    """From the boot to the end of one run, and of these the run alone. :raises SystemExit: it did not do its work."""
    installed = installed_programs(workload, joined.progress) if has_programs(workload) else None
    load = load_of(workload, cpus=CPUS, scale=1.0, installed=installed)
    setup = load.setup("eevdf", 1, hints=None, capabilities=Capabilities(), name_seed=1)
    began_s = joined.clock.monotonic_s()
    with prepared(load, image, cpus=CPUS, world=joined) as guest:
        ready_s = joined.clock.monotonic_s()
        run = run_once(guest, load, 1, setup, charge=None, deadline_s=load.first_run_s)
        over_s = joined.clock.monotonic_s()
    if run.trouble:
        raise SystemExit(f"{workload.name}: {run.trouble}")
    return over_s - began_s, over_s - ready_s


def write(path: Path, seconds: int) -> None:
    """Into the file of a workload, above its rounds; the rest stays as it is."""
    text = _OLD.sub("", path.read_text(encoding="utf-8"))
    text, count = _BEFORE.subn(f"expected_seconds: {{emulated_2: {seconds}}}\nrounds:", text, count=1)
    if not count:
        raise SystemExit(f"{path} has no rounds")
    path.write_text(text, encoding="utf-8")


def main() -> int:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="WORKLOAD", help="default: all that run in a guest")
    parser.add_argument("--kernel", help="default: the newest of the store")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    asked = parser.parse_args()
    joined = world(Lines())
    image = bench_kernel(asked.kernel, (), joined.kernels)
    named = [load_workload(ROOT, name) for name in asked.names] or load_workloads(ROOT)
    accelerator = joined.machines.accelerator().name
    rows, whole_s = [], 0.0
    for workload in filter(runs_in_a_guest, named):
        seconds, run_s = seconds_of(workload, image, joined)
        once_s = seconds + workload.warmup_rounds * run_s
        whole_s += once_s
        rows.append((workload.name, f"{seconds:.1f}", f"{run_s:.1f}", f"{once_s:.1f}"))
        print(" ".join(rows[-1]), file=sys.stderr, flush=True)
        if not asked.dry and accelerator.startswith("tcg"):
            write(ROOT / "policies" / "workloads" / f"{workload.name}.yaml", math.ceil(seconds))
    data = {
        "accelerator": accelerator,
        "kernel": image.kernel.name,
        "workloads": len(rows),
        "suite_s": round(whole_s, 1),
    }
    show(("workload", "one run, s", "of it the run, s", "with warm-ups, s"), rows, data)
    return 0 if whole_s <= BAR_S else 1


if __name__ == "__main__":
    sys.exit(main())
