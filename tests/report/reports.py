"""Reports of every kind, and two rules, for the tests of what is made of them."""

from __future__ import annotations

from types import MappingProxyType

from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, VerificationReport
from schedops.verify.rule import Rule
from tests.verify.readings import SOURCE

OLD, NEW = "6.16.12", "7.3.4"
STAGES = ("source", "compile", "object", "load", "enable")
RULES = MappingProxyType(
    {
        "DSQ-LOST": Rule(
            id="DSQ-LOST",
            level="error",
            stage="source",
            title="Tasks go into a queue that nobody empties",
            why="The kernel runs what is on a CPU's local queue. Nothing moves a task there by itself! A third.",
            fix="Call `scx_bpf_dsq_move_to_local()` in dispatch. Or use the global queue.",
            source="kernel/sched/ext.c, Linux 6.16",
            bad="int bad;",
            good="int good;",
        ),
        "LATE": Rule(
            id="LATE", level="error", stage="load", title="A | in it", why="It waits.", fix="Do not.", source="seen"
        ),
    }
)
LOST = Finding(
    rule="DSQ-LOST", level="error", text="queue 7 is never consumed", place=Place(file=SOURCE.path, line=4, column=3)
)
WARNED = Finding(rule="UNKNOWN-RULE", level="warning", text="odd \x1b[31mname", place=Place(file="schedops.h", line=2))


def late(seconds: str) -> Finding:
    return Finding(rule="LATE", level="error", text=f"hogs waited {seconds} s", advice="give every task a turn")


def check(stage: str, kernel: str, verdict: Verdict, *findings: Finding, text: str = "", seconds: float = 0.5) -> Check:
    said = text or (findings[0].text if findings else "fine")
    return Check(stage=stage, kernel=kernel, verdict=verdict, text=said, seconds=seconds, findings=findings)


def report(
    *checks: Check, verdict: Verdict, stages: tuple[str, ...] = STAGES, missing: tuple[str, ...] = ()
) -> VerificationReport:
    return VerificationReport(
        policy="ours",
        source_sha256=f"sha256:{'0' * 64}",
        stages=stages,
        verdict=verdict,
        checks=checks,
        objects=(),
        kernels_missing=missing,
    )


GOOD = report(
    *(check(stage, kernel, Verdict.PASS) for kernel in (OLD, NEW) for stage in ("compile", "object")),
    verdict=Verdict.PASS,
    stages=("compile", "object"),
)
BAD = report(
    check("source", "", Verdict.FAIL, LOST, WARNED, seconds=0.012),
    check("compile", OLD, Verdict.PASS, text="object 123"),
    check("object", OLD, Verdict.PASS),
    check("load", OLD, Verdict.FAIL, late("4.2")),
    check("compile", NEW, Verdict.PASS, text="object 123"),
    check("object", NEW, Verdict.PASS),
    check("load", NEW, Verdict.FAIL, late("5.1")),
    check("object", "", Verdict.PASS, text="two objects", seconds=12.0),
    verdict=Verdict.FAIL,
)
UNSURE = report(
    check("compile", OLD, Verdict.PASS),
    check(
        "object",
        OLD,
        Verdict.INCONCLUSIVE,
        Finding(rule="NOT-MEASURED", level="note", text="the host was too busy", advice="run it again"),
    ),
    verdict=Verdict.INCONCLUSIVE,
    missing=(NEW,),
)
BROKEN = report(check("compile", OLD, Verdict.ERROR, text="clang-19 was not found\n"), verdict=Verdict.ERROR)
NOTHING = report(verdict=Verdict.ERROR)
ALL = (GOOD, BAD, UNSURE, BROKEN, NOTHING)
