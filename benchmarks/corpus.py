"""The real verifier on every labelled policy, held against its label.

    python benchmarks/corpus.py [--only NAME...] [--kernel K...] [--dir DIR...] [--times N] [--busy N] [--json FILE]

Each policy is verified as `schedops verify` would: with what it declares, on the default kernels, in full, and no
further than the first sure failure. The bars: no escape, no false alarm, no error, no verdict that changes from one
time to the next; every flaw found at its labelled stage or earlier and named by its rule or class; a source rule
points within three lines of the flawed one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from judging import Judge
from labels import NEAR_LINES, Judged, Label, judge, read_labels, unread
from measuring import busy, show

from schedops.verify import stages

STAGES = {
    "static": stages.STATIC,
    "simulate": stages.up_to(stages.SIMULATE),
    "quick": stages.QUICK,
    "full": stages.FULL,
}


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    labels = [one for one in read_labels(*asked.dir) if _wanted(one, asked.only)]
    judged: list[Judged] = []
    started = time.monotonic()
    with busy(asked.busy):
        judging = Judge(asked.kernel, STAGES[asked.stages])
        for _ in range(asked.times):
            judged += [_one(judging, label) for label in labels]
    return _report(asked, labels, judged, time.monotonic() - started)


def _one(judging: Judge, label: Label) -> Judged:
    started = time.monotonic()
    try:
        report = judging.verify(label.source())
        seen = judge(label, report, round(time.monotonic() - started, 2))
    except Exception as error:  # noqa: BLE001 - one that breaks the verifier is what is looked for; the rest goes on
        traceback.print_exc(limit=-3)
        seen = unread(label, error)
    print(f"{seen.name}: {seen.got} {seen.stage} {' '.join(seen.rules)} {seen.problem}", file=sys.stderr, flush=True)
    return seen


def _report(asked: argparse.Namespace, labels: Sequence[Label], judged: Sequence[Judged], seconds: float) -> int:
    by_name = {label.name: label for label in labels}
    changed = sorted({one.name for one in judged if len({other.got for other in judged if other.name == one.name}) > 1})
    totals = {
        "policies": len(labels),
        "times": asked.times,
        "busy": asked.busy,
        "escapes": _names(judged, "escape"),
        "false_alarms": _names(judged, "false alarm"),
        "errors": _names(judged, "ERROR"),
        "inconclusive": _names(judged, "INCONCLUSIVE"),
        "changed": changed,
        "too_late": sorted({one.name for one in judged if one.got == "FAIL" and not one.in_time}),
        "other_rule": sorted({one.name for one in judged if one.got == "FAIL" and not one.rule_fits}),
        "far_off": sorted({one.name for one in judged if _far(one, by_name[one.name])}),
        "seconds": round(seconds, 1),
    }
    rows = [_row(one, by_name[one.name]) for one in judged]
    show(["policy", "expected", "got", "stage (label)", "rules (label)", "lines off", "s", "problem"], rows, totals)
    if asked.json:
        asked.json.write_text(json.dumps({**totals, "all": [asdict(one) for one in judged]}, indent=1), "utf-8")
    bad = ("escapes", "false_alarms", "errors", "inconclusive", "changed", "too_late", "other_rule", "far_off")
    return 1 if any(totals[name] for name in bad) else 0


def _row(one: Judged, label: Label) -> list[str]:
    return [
        one.name,
        one.expected,
        one.got,
        f"{one.stage} ({label.stage})",
        f"{' '.join(one.rules)} ({label.rule or label.kind})",
        "-" if one.distance is None else str(one.distance),
        f"{one.seconds:.1f}",
        one.problem or ("" if one.got == "PASS" else one.text[:120].replace("|", "/")),
    ]


def _names(judged: Sequence[Judged], problem: str) -> list[str]:
    return sorted({one.name for one in judged if one.problem == problem})


def _far(one: Judged, label: Label) -> bool:
    """Only a source rule knows a line for sure; a compiler and the kernel's verifier point where they noticed."""
    return one.stage == stages.SOURCE and bool(label.line) and (one.distance is None or one.distance > NEAR_LINES)


def _wanted(label: Label, only: Sequence[str]) -> bool:
    return not only or any(word in label.name for word in only)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The verifier on every labelled policy")
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help="names, or parts of names")
    parser.add_argument("--kernel", nargs="*", default=(), help="default: the fleet's")
    parser.add_argument("--dir", nargs="*", type=Path, default=(), help="folders with a manifest.json")
    parser.add_argument("--stages", choices=sorted(STAGES), default="full", help="fewer find less: to try things out")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="busy processes on the host meanwhile")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
