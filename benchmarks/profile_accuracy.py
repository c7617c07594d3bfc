"""How often the analysis engine names the right class: every workload, with parameters that no threshold was made with.

``python benchmarks/profile_accuracy.py [WORKLOAD...] [--kernel 7.3] [--variants 2] [--page-only]`` writes
``docs/profile-accuracy.md``; what was measured is kept in ``docs/profile-accuracy.json``, and a run that was broken off
goes on. Bar: the right class first in at least 90 % of the runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from measuring import show
from mixes import mixes
from perturbing import perturbed
from simulating import ROOT, Quiet

from schedops.adapters.probe_object import probe_object
from schedops.errors import SchedopsError
from schedops.pipeline.kernels import bench_kernel
from schedops.pipeline.profiling import Asked, History, look
from schedops.repository import load_workload, load_workloads
from schedops.wiring import world

BAR = 0.9
PAGE, KEPT = ROOT / "docs" / "profile-accuracy.md", ROOT / "docs" / "profile-accuracy.json"
# The thresholds were made with seeds 1 and 11 and the workloads as they are. What was wrong with 701 to 716 (the rules
# before had 125 of 132 of 703 to 706 right) led to changes of five figures, so that those are no longer held out.
SEEDS = (717, 718, 719, 720)
# What somebody who knows the workload would call it; the engine never sees this table.
EXPECTED = {
    "uneven-batch": (
        "batch-checksum batch-compression batch-ctest batch-ddos-logs batch-git-add batch-hotkey batch-video "
        "batch-viral uneven-batch uneven-make xz-gzip-mix"
    ),
    "saturating-groups": "busy-builds ci-builds",
    "build-graph": "c-project kernel-build llvm-build tiny-kernel",
    "pipeline": "ffmpeg-transcode map-reduce sort-join",
    "message-passing": "ping-pong pipe-groups",
    "request-response": (
        "nginx-like open-requests pinned-hogs redis-like schbench-like sqlite-like web-requests"
    ),
    "latency-critical": "memory-pressure timers-under-load video-player",
    "mixed": "mixed-lockless mixed-quiet mixed-tasks",
}  # fmt: skip
_HEAD = """# How often `schedops profile` names the right class

Made by `python benchmarks/profile_accuracy.py`: every workload of `policies/workloads` and two mixed ones besides, with
seeds and model parameters (work x 0.5 .. 2, counts x 0.75 .. 1.5) that no threshold was made with, run in the micro-VM
under the default scheduler and looked at until the class was clear or the last tier was done. The engine sees what the
run showed; which class is right is in a table of the benchmark. The kinds of workload are the ones that the thresholds
were made with, so this says how robust the rules are against other numbers and a busy host, not how they do on
workloads of another kind.
"""
CLASS_OF = {name: kind for kind, names in EXPECTED.items() for name in names.split()}


def main() -> None:
    asked = _options().parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if not asked.page_only:
        _collect(asked, kept)
    _page(kept)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*")
    parser.add_argument("--kernel", help="default: the newest of the store")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--variants", type=int, default=2, choices=range(1, len(SEEDS) + 1))
    parser.add_argument("--page-only", action="store_true")
    return parser


def _collect(asked: argparse.Namespace, kept: dict[str, Any]) -> None:
    joined = world(Quiet())
    image = bench_kernel(asked.kernel, (), joined.kernels)
    for seed in SEEDS[: asked.variants]:
        for workload in (*mixes(load_workload(ROOT, "mixed-tasks")), *load_workloads(ROOT)):
            key = f"{workload.name}/{seed}"
            if key in kept or (asked.workloads and workload.name not in asked.workloads):
                continue
            try:
                looked = look(
                    perturbed(workload, seed),
                    lambda: image,
                    lambda one: probe_object(joined.toolchain, one),
                    Asked(cpus=asked.cpus, seed=seed),
                    world=joined,
                    history=History(),
                )
            except SchedopsError as error:
                print(f"# {key}: {error.message}", file=sys.stderr)
                continue
            found = looked.profile
            kept[key] = {
                "expected": CLASS_OF[workload.name],
                "found": found.classes[0].name,
                "confidence": found.classes[0].confidence,
                "tier": found.tier,
                "seconds": next(cost.seconds for cost in found.costs if cost.tier == found.tier),
                "kernel": image.kernel.name,
                "figures": {one.name: one.value for one in found.figures},
            }
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
            print(f"# {key}: {kept[key]['found']} {kept[key]['confidence']} by {found.tier}", file=sys.stderr)


def _page(kept: dict[str, Any]) -> None:
    rows = list(kept.values())
    right = sum(row["found"] == row["expected"] for row in rows)
    share = right / max(1, len(rows))
    clear = [row for row in rows if (row["confidence"] or 0) >= 0.8]
    clear_right = sum(row["found"] == row["expected"] for row in clear)
    tiers = Counter(row["tier"] for row in rows)
    wrong = [(key, row) for key, row in sorted(kept.items()) if row["found"] != row["expected"]]
    tiers_said = ", ".join(f"{count} by {name}" for name, count in sorted(tiers.items()))
    said = (
        f"Right: **{right} of {len(rows)} ({share:.0%})**; of those that it called clear (confidence >= 0.8):"
        f" {clear_right} of {len(clear)}. Tiers: {tiers_said}.\n"
    )
    parts = [
        _HEAD,
        said,
        _matrix(rows),
        "## What it got wrong\n\n" + ("\n".join(_said(key, row) for key, row in wrong) or "Nothing.") + "\n",
    ]
    PAGE.write_text("\n".join(parts))
    table = [(key, row["expected"], row["found"], f"{row['confidence']:.2f}", row["tier"]) for key, row in wrong]
    show(("run", "expected", "found", "confidence", "tier"), table, {"runs": len(rows), "right": right, "bar": BAR})
    if share < BAR:
        raise SystemExit(1)


def _matrix(rows: Sequence[dict[str, Any]]) -> str:
    names = [*EXPECTED, *sorted({row["found"] for row in rows} - set(EXPECTED))]
    counts = Counter((row["expected"], row["found"]) for row in rows)
    lines = [f"| expected \\ found | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for expected in EXPECTED:
        cells = [str(counts[expected, found] or "") for found in names]
        lines.append(f"| {expected} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _said(key: str, row: dict[str, Any]) -> str:
    return f"- `{key}`: {row['found']} ({row['confidence']:.2f}, by {row['tier']}) instead of {row['expected']}"


if __name__ == "__main__":
    main()
