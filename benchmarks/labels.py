"""Labelled policies: what a manifest says of each, and whether a verification said the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from schedops.model.policy import Capabilities, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, VerificationReport
from schedops.repository import resolve_policy
from schedops.verify import stages

ROOT = Path(__file__).parent.parent
CORPORA = (ROOT / "tests/data/corpus", ROOT / "tests/data/corpus2")
NEAR_LINES = 3

_DYNAMIC = stages.FULL
# A label names the kind of stage; these are the last stages of ours that may find the flaw.
_LATEST = {
    "static": stages.OBJECT,
    "compile": stages.COMPILE,
    "security": stages.OBJECT,
    "object": stages.OBJECT,
    "compat": stages.LOAD,
    "load": stages.LOAD,
    "enable": stages.ENABLE,
    "dynamic": _DYNAMIC[-1],
    "fairness": _DYNAMIC[-1],
    "overhead": _DYNAMIC[-1],
}
# The rules that name a class where the manifest names none, or ours has another name: alternatives of a pattern.
_LOST = "EJECTED|FAULT|STALL|NEVER-RAN|STARVED|GUEST-HUNG|KERNEL-COMPLAINT"
_CLASS_RULES = {
    "compile-error": "COMPILE-ERROR|SIGNED-DIVISION|SOURCE-LIMIT",
    "registration": "NAME|FAULT|FLAGS|ENQ-LAST|TIMEOUT-RANGE|SLEEPABLE-OP|OBJ-OPS|OBJ-BATCH|WRONG-NAME|DSQ-DUP-CREATE"
    "|NOT-IN-CHARGE|EJECTED|VERIFIER-REFUSED",
    "runtime-error": "KFUNC-CONTEXT|DSQ-.*|LOCAL-ON-UNCHECKED|SELECT-CPU-NEG|INSERT-TWICE|DISPATCH-.*|OBJ-BATCH"
    "|KICK-FLAGS|AFFINITY|EJECTED|NOT-IN-CHARGE",
    "compat": "COMPAT-.*|ENUM-DRIFT",
    "security": "SEC-.*|OBJ-EXTRA-PROG",
    "verifier": "VERIFIER-REFUSED|FAULT|UNCHECKED-.*|CHAINED-LOOKUP|REF-LEAK|UNBOUNDED-LOOP|INDEX-UNBOUNDED|OBJ-LICENCE"
    "|KFUNC-CONTEXT|SEC-FIELD",
    "stall": f"{_LOST}|ENQUEUE-DROPS|DSQ-.*|PUSH-UNCHECKED|AFFINITY-IGNORED|HOTPLUG.*",
    "starvation": f"{_LOST}|SLICE-.*|STRICT-PRIO|VTIME-DESCENDING|LATENCY|UNFAIR-EQUAL",
    "unfair": "FAIR-NO-WEIGHT|PREV-IGNORED|NO-BALANCE|UNFAIR-.*|NOT-WORK-CONSERVING|STARVED|LATENCY",
    "overhead": f"{_LOST}|HOT-.*|OVERHEAD|SWITCH-STORM|KICK-.*|LATENCY",
    "livelock": f"{_LOST}|KICK-WAIT",
    "not-in-control": "PARTIAL|NOT-IN-CHARGE|SELF-EXIT|TIME-BOMB|EJECTED",
}


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled policy. *line*: of the flaw, 0 when unknown."""

    name: str
    path: Path
    good: bool
    kind: str
    stage: str
    rule: str
    line: int
    declares: tuple[str, ...]

    def source(self) -> PolicySource:
        """As the command line would read it. :raises InputError: it would not."""
        return source_of(self.path, self.declares)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out, held against the label. Empty *problem*: as labelled."""

    name: str
    expected: str
    got: str
    problem: str
    stage: str
    in_time: bool
    rules: tuple[str, ...]
    rule_fits: bool
    distance: int | None
    seconds: float
    text: str


def read_labels(*folders: Path) -> tuple[Label, ...]:
    """Every labelled policy below *folders*, in order of name. :raises ValueError: a label fits no file."""
    return tuple(
        _label(folder, entry)
        for folder in (folders or CORPORA)
        if (folder / "manifest.json").is_file()
        for entry in sorted(json.loads((folder / "manifest.json").read_bytes())["policies"], key=_file)
    )


def source_of(path: Path, declares: Iterable[str] = ()) -> PolicySource:
    """A bare file as the command line would read it, with what it declares."""
    bare = resolve_policy(ROOT, str(path), cwd=ROOT)
    promised = Capabilities(**dict.fromkeys(declares, True))
    return replace(bare, policy=replace(bare.policy, capabilities=promised))


def judge(label: Label, report: VerificationReport, seconds: float) -> Judged:
    """The report against the label."""
    failed = next((check for check in report.checks if check.verdict is Verdict.FAIL), None)
    errors = tuple(one for check in report.checks for one in check.findings if one.level == "error")
    loudest = failed or next((check for check in report.checks if check.verdict is not Verdict.PASS), None)
    return Judged(
        name=label.name,
        expected="pass" if label.good else "fail",
        got=report.verdict.value,
        problem=_problem(label, report.verdict),
        stage=failed.stage if failed else "",
        in_time=label.good or (failed is not None and _in_time(label, failed)),
        rules=tuple(sorted({one.rule for one in errors if one.rule})),
        rule_fits=label.good or any(_fits(label, one) for one in errors),
        distance=_distance(label, errors),
        seconds=seconds,
        text=_words(loudest),
    )


def unread(label: Label, error: Exception) -> Judged:
    """The verifier would not even read it, or broke over it: an error on our side, since a label is of a policy."""
    return Judged(
        name=label.name,
        expected="pass" if label.good else "fail",
        got=type(error).__name__,
        problem="ERROR",
        stage="",
        in_time=False,
        rules=(),
        rule_fits=False,
        distance=None,
        seconds=0.0,
        text=str(error),
    )


def _label(folder: Path, entry: dict[str, object]) -> Label:
    path = folder / str(entry["file"])
    name = f"{folder.name}/{path.name.removesuffix('.bpf.c')}"
    return Label(
        name=name,
        path=path,
        good=entry["expected"] == "pass",
        kind=str(entry["class"]),
        stage=str(entry["stage"] or ""),
        rule=str(entry.get("static_rule") or "").split(" ")[0],
        line=_line(path, str(entry.get("flaw_line") or "")),
        declares=tuple(entry.get("declares") or ()),  # type: ignore[arg-type]
    )


def _file(entry: dict[str, object]) -> str:
    return str(entry["file"])


def _line(path: Path, wanted: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not wanted:
        return 0
    for number, line in enumerate(lines, start=1):
        if wanted in line:
            return number
    raise ValueError(f"{path}: no line has {wanted!r}")


def _problem(label: Label, verdict: Verdict) -> str:
    if verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE):
        return verdict.value
    if label.good:
        return "" if verdict is Verdict.PASS else "false alarm"
    return "" if verdict is Verdict.FAIL else "escape"


def _in_time(label: Label, failed: Check) -> bool:
    return stages.FULL.index(failed.stage) <= stages.FULL.index(_LATEST[label.stage])


def _fits(label: Label, finding: Finding) -> bool:
    if label.rule and finding.rule == label.rule:
        return True
    return re.fullmatch(_CLASS_RULES[label.kind], finding.rule) is not None


def _distance(label: Label, errors: Iterable[Finding]) -> int | None:
    lines = [one.place.line for one in errors if one.place and one.place.line]
    return min((abs(line - label.line) for line in lines), default=None) if label.line else None


def _words(check: Check | None) -> str:
    if check is None:
        return ""
    texts = [one.text for one in check.findings if one.level == "error"] or [check.text]
    return " ".join(f"{check.kernel[:6]} {texts[0]}".split())
