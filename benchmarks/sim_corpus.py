"""What rules and the simulator say, without any guest, of every labelled policy whose flaw only shows when it runs.

    python benchmarks/sim_corpus.py [--only NAME...] [--dir DIR...] [--brief] [--json FILE]

The rules on the text and then the stage `simulate`, with its loads, machines and judgement; it is simulated whatever
the rules say. The bars: no FAIL of a good policy, no PASS of a bad one. What no simulation shows
(`schedops/verify/simulated/unseen.py`) makes a PASS INCONCLUSIVE.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from judging import Silent
from labels import Label, read_labels
from measuring import show

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, NotRun
from schedops.ports import Alone
from schedops.verify import stages
from schedops.verify.kernel import Bench
from schedops.verify.simulated.stage import simulate
from schedops.verify.stage import verdict_of
from schedops.verify.static import check_source
from schedops.wiring import world

# Of the labels' stages: a flaw of these gets past text and object.
_REACH = ("", "enable", "dynamic", "fairness", "overhead")


@dataclass(frozen=True, slots=True)
class Row:
    """One policy. Empty *problem*: as labelled, or nobody can tell."""

    name: str
    label: str
    got: str
    text_rules: tuple[str, ...]
    simulated: str
    problem: str
    rules: tuple[str, ...]
    text: str
    seconds: float


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    labels = [one for one in read_labels(*asked.dir) if one.stage in _REACH and _wanted(one, asked.only)]
    simulator = WasmSimulator()
    rows = [_row(simulator, label, deep=not asked.brief) for label in labels]
    totals = {
        "policies": len(rows),
        "as_labelled": sum(not row.problem and row.got != Verdict.INCONCLUSIVE.value for row in rows),
        "inconclusive": [row.name for row in rows if row.got == Verdict.INCONCLUSIVE.value],
        "simulator_alone_wrong_pass": [row.name for row in rows if row.label != "good" and row.simulated == "PASS"],
        "wrong_pass": [row.name for row in rows if row.problem == "wrong PASS"],
        "wrong_fail": [row.name for row in rows if row.problem == "wrong FAIL"],
        "seconds": round(sum(row.seconds for row in rows), 1),
    }
    show(["policy", "label", "got", "text", "simulated", "problem", "why", "s"], [_cells(row) for row in rows], totals)
    if asked.json:
        asked.json.write_text(json.dumps({**totals, "all": [asdict(row) for row in rows]}, indent=1), "utf-8")
    return 1 if totals["wrong_pass"] or totals["wrong_fail"] else 0


def _row(simulator: WasmSimulator, label: Label, *, deep: bool) -> Row:
    started = time.monotonic()
    source = label.source()
    there = world(Silent())
    bench = Bench(source, (), 2, there.toolchain, there.machines, there.clock, Silent())
    of_text = _rules(check_source(bench, source))
    seen = simulate(bench, simulator, Alone(), deep=deep, custody=True)
    alone, why = _verdict(seen)
    got = Verdict.FAIL if of_text else alone
    wrong = {(True, Verdict.FAIL): "wrong FAIL", (False, Verdict.PASS): "wrong PASS"}.get((label.good, got), "")
    row = Row(
        name=label.name,
        label="good" if label.good else label.kind,
        got=got.value,
        text_rules=of_text,
        simulated=alone.value,
        problem=wrong,
        rules=_rules(seen) if isinstance(seen, Check) else (),
        text=" ".join(why.split())[:160].replace("|", "/"),
        seconds=round(time.monotonic() - started, 1),
    )
    print(" ".join(_cells(row)), file=sys.stderr, flush=True)
    return row


def _cells(row: Row) -> list[str]:
    simulated = f"{row.simulated} {' '.join(row.rules)}"
    return [
        row.name,
        row.label,
        row.got,
        " ".join(row.text_rules),
        simulated,
        row.problem,
        row.text,
        f"{row.seconds:.1f}",
    ]


def _rules(check: Check) -> tuple[str, ...]:
    return tuple(sorted({one.rule for one in check.findings if one.level == "error"}))


def _verdict(seen: Check | NotRun) -> tuple[Verdict, str]:
    """As a verification without guests would end."""
    if isinstance(seen, NotRun):
        return Verdict.INCONCLUSIVE, seen.text
    verdict = verdict_of([seen], (stages.SIMULATE,), ())
    return verdict, seen.findings[0].text if verdict is not Verdict.PASS and seen.findings else ""


def _wanted(label: Label, only: Sequence[str]) -> bool:
    return not only or any(word in label.name for word in only)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the simulator alone says of the labelled policies")
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help="names, or parts of names")
    parser.add_argument("--dir", nargs="*", type=Path, default=(), help="folders with a manifest.json")
    parser.add_argument("--brief", action="store_true", help="only what an edit waits for")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
