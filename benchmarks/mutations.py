"""Mutants of good policies, and how many of those that behave differently the verifier refuses.

    python benchmarks/mutations.py [--minutes M] [--target N] [--seed S] [--kernel K] [--quick] [--store FILE] [--list]

Goes on where the last run with this store stopped; `--static` first and `--again survived` next is the quickest way.
A mutant that does not compile says nothing about the verifier and is not counted; one whose object behaves as the
original's does (``behaviour_digest``) is no mutant. What survives is listed with its diff; why it survives is written,
by hand, in ``benchmarks/mutants/reasons.json`` by its digest: ``equivalent`` and ``still-good`` ones are not counted
either, and the table of docs/mutations.md is made from both.
The bar: at least 95 % of 200 refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judging import Judge
from labels import ROOT
from measuring import show
from mutants.making import Mutant, mutants, originals

from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject, VerificationReport
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.stages import FULL, QUICK, STATIC

BAR = 0.95
REASONS = ROOT / "benchmarks/mutants/reasons.json"
STORE = ROOT / ".schedops/mutations.json"
UNCOUNTED = ("equivalent", "still-good")
_TRIES = 3  # at a verdict that is none


@dataclass(slots=True)
class Bed:
    """Where mutants are judged. *bases*: digest of each original's behaviour, by policy."""

    judge: Judge
    bases: dict[str, str]

    def fate(self, mutant: Mutant) -> dict[str, object]:
        """What became of it: stillborn, same, refused, survived, or undecided."""
        digest = self.digest(mutant.source)
        if digest is None:
            return {"fate": "stillborn"}
        if mutant.policy not in self.bases:
            self.bases[mutant.policy] = self._base(mutant.policy)
        if digest == self.bases[mutant.policy]:
            return {"fate": "same"}
        started = time.monotonic()
        for _ in range(_TRIES):
            report = self.judge.verify(mutant.source)
            if report.verdict in (Verdict.PASS, Verdict.FAIL):
                break
        return {**_words(report), "seconds": round(time.monotonic() - started, 1)}

    def digest(self, source: PolicySource) -> str | None:
        """None when it does not compile."""
        built = self.judge.world.toolchain.build(source, (), self.judge.images[-1])
        return behaviour_digest(built.elf) if isinstance(built, BuiltObject) else None

    def _base(self, policy: str) -> str:
        found = self.digest(dict(originals())[policy])
        assert found is not None, policy
        return found


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    seen: dict[str, dict[str, Any]] = json.loads(asked.store.read_bytes()) if asked.store.is_file() else {}
    if not asked.list:
        _go_on(asked, seen)
    return _report(seen, asked)


def _go_on(asked: argparse.Namespace, seen: dict[str, dict[str, Any]]) -> None:
    stages = STATIC if asked.static else QUICK if asked.quick else FULL
    bed = Bed(Judge(asked.kernel, stages), {})
    until = time.monotonic() + 60 * asked.minutes
    for mutant in _wanted(asked):
        known = seen.get(mutant.digest, {}).get("fate", "")
        if known not in asked.again if asked.again else known:
            continue
        if time.monotonic() > until or (not asked.again and _counted(seen) >= asked.target):
            return
        entry = {**_described(mutant), **bed.fate(mutant)}
        seen[mutant.digest] = entry
        _keep(asked.store, seen)
        print(f"{entry['fate']:9} {entry.get('rules', '')} {mutant.policy}: {mutant.what}", file=sys.stderr, flush=True)


def _wanted(asked: argparse.Namespace) -> Iterator[Mutant]:
    for mutant in mutants(asked.seed, originals()):
        named = (mutant.policy, mutant.operator, mutant.digest)
        if not asked.only or any(word in name for word in asked.only for name in named):
            yield mutant


def _words(report: VerificationReport) -> dict[str, object]:
    fate = {Verdict.FAIL: "refused", Verdict.PASS: "survived"}.get(report.verdict, "undecided")
    failed = next((check for check in report.checks if check.verdict is not Verdict.PASS), None)
    if failed is None:
        return {"fate": fate, "warned": sorted({one.rule for check in report.checks for one in check.findings})}
    errors = [one for one in failed.findings if one.level == "error"]
    text = errors[0].text if errors else failed.text
    return {"fate": fate, "stage": failed.stage, "rules": sorted({one.rule for one in errors}), "text": text[:300]}


def _described(mutant: Mutant) -> dict[str, object]:
    return {
        "policy": mutant.policy,
        "operator": mutant.operator,
        "place": f"{mutant.file}:{mutant.line}",
        "what": mutant.what,
        "diff": mutant.diff,
    }


def _counted(seen: Mapping[str, Mapping[str, Any]]) -> int:
    reasons = _reasons()
    return sum(
        entry["fate"] in ("refused", "survived") and reasons.get(digest, {}).get("kind") not in UNCOUNTED
        for digest, entry in seen.items()
    )


def _reasons() -> dict[str, dict[str, str]]:
    return json.loads(REASONS.read_bytes()) if REASONS.is_file() else {}  # type: ignore[no-any-return]


def _keep(store: Path, seen: Mapping[str, object]) -> None:
    store.parent.mkdir(parents=True, exist_ok=True)
    fresh = store.with_suffix(".new")
    fresh.write_text(json.dumps(seen, indent=1, sort_keys=True), "utf-8")
    fresh.replace(store)


def _report(seen: Mapping[str, Mapping[str, Any]], asked: argparse.Namespace) -> int:
    reasons = _reasons()
    fates = {digest: _fate(entry, reasons.get(digest, {})) for digest, entry in seen.items()}
    total = {fate: sum(one == fate for one in fates.values()) for fate in sorted(set(fates.values()))}
    refused, survived = total.get("refused", 0), total.get("survived", 0)
    rate = refused / (refused + survived) if refused + survived else 0.0
    for digest, entry in seen.items():
        if fates[digest] in ("survived", *UNCOUNTED):
            print(f"\n### {digest} {entry['policy']} {entry['operator']} ({entry['place']}): {fates[digest]}\n")
            print(f"{entry['what']}\n\n```diff\n{entry['diff']}\n```\n")
            print(reasons.get(digest, {}).get("reason", "no reason is written down yet"))
    print()
    kinds = sorted({str(entry["operator"]) for entry in seen.values()})
    rows = [_row(kind, [fates[digest] for digest, one in seen.items() if one["operator"] == kind]) for kind in kinds]
    data = {**total, "counted": refused + survived, "refused_share": round(rate, 3), "seed": asked.seed}
    show(["operator", "refused", "survived", "still good or equivalent", "no mutant"], rows, data)
    return 0 if rate >= BAR and refused + survived >= asked.target else 1


def _fate(entry: Mapping[str, Any], reason: Mapping[str, str]) -> str:
    kind = reason.get("kind", "")
    return kind if entry["fate"] == "survived" and kind in UNCOUNTED else str(entry["fate"])


def _row(kind: str, fates: Sequence[str]) -> list[str]:
    columns = (("refused",), ("survived",), UNCOUNTED, ("stillborn", "same"))
    return [kind, *(str(sum(fate in names for fate in fates)) for names in columns)]


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How many mutants of good policies the verifier refuses")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so many; the next run goes on")
    parser.add_argument("--target", type=int, default=200, help="mutants to count")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernel", nargs="*", default=(), help="default: the oldest and the newest of the store")
    parser.add_argument("--only", nargs="*", default=(), metavar="WORD", help="in policy, operator or digest")
    parser.add_argument(
        "--again", nargs="*", default=(), metavar="FATE", help="judge those that were so before, and no others"
    )
    parser.add_argument("--quick", action="store_true", help="the quick stages only")
    parser.add_argument("--static", action="store_true", help="the static stages only")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--list", action="store_true", help="run nothing, list what is known")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
