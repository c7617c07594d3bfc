"""What every policy of the library does to every workload in the simulator; writes docs/library.md.

    python benchmarks/library_table.py [--seeds N] [--out DIR] [--page-only]

All policies and workloads on four equal CPUs, and those that know of threads, caches and CPUs on machines that have
them: `schedops suite run` with the same seeds, into docs/library-sweep.json, from which the page is made (--page-only).
A sweep that was broken off goes on when --out is the same. Exits with 1 when a policy is ejected or breaks, or makes no
objective of any workload better by 5 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from library_page import page

from schedops import proc
from schedops.errors import EXIT_FAIL, EXIT_INCONCLUSIVE
from schedops.repository import load_policies

ROOT = Path(__file__).parent.parent
DATA = ROOT / "docs/library-sweep.json"
PAGE = ROOT / "docs/library.md"
SEEDS = 6  # the fewest that have an exact 95 % interval
DEADLINE_S = 3600.0
GAIN = 1.05
# Where CPUs differ in what they share: policies and workloads for which that may matter.
PLACING = ("llc-aware", "prev-cpu", "smt-aware", "warm-cores", "weighted-vtime", "work-stealing")
MEETING = (
    "batch-git-add", "c-project", "ffmpeg-transcode", "map-reduce", "mixed-tasks", "pipe-groups", "sort-join",
    "uneven-make",
)  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    policies = [one.policy for one in load_policies(ROOT)]
    if not asked.page_only:
        with tempfile.TemporaryDirectory() as scratch:
            out = asked.out or Path(scratch)
            everywhere = [one.name for one in policies]
            sweeps = [
                _swept(everywhere, (), "flat-4", asked.seeds, out / "all"),
                *(_swept(PLACING, MEETING, machine, asked.seeds, out / machine) for machine in ("smt-16", "nodes-2")),
            ]
        DATA.write_text(json.dumps(sweeps, indent=1) + "\n", encoding="utf-8")
    sweeps = json.loads(DATA.read_text(encoding="utf-8"))
    PAGE.write_text(page(policies, sweeps), encoding="utf-8")
    missed = _missed([one.name for one in policies], sweeps)
    print("\n".join(missed) or f"{len(policies)} policies, each makes some objective better by 5 % and breaks nothing")
    return 1 if missed else 0


def _swept(policies: Sequence[str], workloads: Sequence[str], machine: str, seeds: int, out: Path) -> dict[str, Any]:
    """Objectives by workload, with what became of each under each policy."""
    named = [word for name in policies for word in ("--policy", name)]
    named += [word for name in workloads for word in ("--workload", name)]
    argv = (sys.executable, "-m", "schedops", "suite", "run", *named, "--machine", machine)
    argv += ("--seeds", str(seeds), "--out", str(out), "--resume", "--output", "json")
    done = proc.run(argv, deadline_s=DEADLINE_S, cwd=ROOT, max_output_bytes=64 << 20)
    if done.returncode not in (0, EXIT_FAIL, EXIT_INCONCLUSIVE):
        sys.exit(f"the sweep on {machine} ended with {done.returncode}: {proc.printable(done.stderr[-2000:])}")
    schedulers = json.loads(done.stdout)["data"]["score"]["schedulers"]
    of_policies = {one["scheduler"]: {each["workload"]: each for each in one["workloads"]} for one in schedulers[1:]}
    rows = [
        _row(workload["workload"], objective, of_policies)
        for workload in schedulers[0]["workloads"]
        for objective in workload["improvements"]
    ]
    return {"machine": machine, "seeds": seeds, "baseline": schedulers[0]["scheduler"], "rows": rows}


def _row(workload: str, objective: Mapping[str, Any], of_policies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    known = {name: objective[name] for name in ("metric", "unit", "direction", "baseline")}
    cells = {name: _cell(found[workload], objective["metric"]) for name, found in of_policies.items()}
    return {"workload": workload, **known, "policies": cells}


def _cell(scored: Mapping[str, Any], metric: str) -> dict[str, Any]:
    found = next((one for one in scored["improvements"] if one["metric"] == metric), None)
    missed = [one["slo"]["metric"] for one in scored["slos"] if one["slo"]["hard"] and one["met"] is False]
    cell = {name: found[name] for name in ("policy", "factor", "low", "high")} if found else {}
    cell |= {"hard_slos_missed": missed} if missed else {}
    return cell | ({"why": scored["why"], "broke": scored["broke"]} if scored["why"] else {})


def _missed(policies: Sequence[str], sweeps: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = [(row, name, cell) for sweep in sweeps for row in sweep["rows"] for name, cell in row["policies"].items()]
    broken = [f"{name} on {row['workload']}: {cell['why']}" for row, name, cell in cells if cell.get("broke")]
    gains = {name for _, name, cell in cells if (cell.get("low") or 0) >= GAIN}
    return [*broken, *(f"{name} makes nothing better by 5 %" for name in policies if name not in gains)]


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, help="keeps the cells, and goes on with those that are there")
    parser.add_argument("--page-only", action="store_true", help="from docs/library-sweep.json")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
