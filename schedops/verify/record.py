"""The checks of one kernel while they are made: which stages there are, what each came to, how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, BuiltObject, Check, Finding, SourceProblem
from schedops.ports import Clock
from schedops.verify import places
from schedops.verify.judge import Outcome

LEVELS = ("error", "warning", "note")  # the worst first


@dataclass(slots=True)
class Record:
    """Checks in the order they are made; the clock runs from one to the next."""

    source: PolicySource
    kernel: str
    clock: Clock
    since_s: float
    checks: list[Check] = field(default_factory=list)
    timed: bool = False  # what the last stage came to is a clock's word only

    def add(self, stage: str, outcome: Outcome) -> bool:
        """Note what a stage came to; True when the next stage may run."""
        self.timed = outcome.timed
        findings = () if outcome.verdict is Verdict.PASS else (_finding(stage, outcome, self.source),)
        self._append(stage, outcome.verdict, outcome.text, findings)
        return outcome.verdict is Verdict.PASS

    def add_failure(self, failure: BuildFailure) -> None:
        """One finding for every message of the compiler."""
        problems = failure.problems or (_SILENT,)
        findings = sorted((_of_compiler(problem) for problem in problems), key=lambda one: LEVELS.index(one.level))
        errors = [finding for finding in findings if finding.level == "error"] or [_of_compiler(_SILENT)]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._append("compile", Verdict.FAIL, errors[0].text + more, tuple(findings))

    def add_built(self, built: BuiltObject) -> None:
        """The compiler made an object; its warnings are findings of a stage that passed."""
        findings = tuple(_of_compiler(problem) for problem in built.warnings if problem.severity != "error")
        jail = _JAILS.get(built.jail, f", compiled in {built.jail}")
        text = f"object {built.sha256[:12]}, {len(built.elf)} bytes{jail}"
        self.put("compile", Verdict.PASS, text + _many(len(findings), ", {} warning"), findings)

    def add_findings(self, stage: str, findings: Iterable[Finding], *, looked_at: str) -> bool:
        """What rules found: an error fails the stage. True when there is none.

        :param looked_at: how much was looked at, such as "41 rules".
        """
        ordered = tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))
        errors, warnings = (sum(one.level == level for one in ordered) for level in ("error", "warning"))
        more = f" (and {errors - 1} more)" if errors > 1 else ""
        passed = looked_at + _many(warnings, ", {} warning")
        verdict = Verdict.FAIL if errors else Verdict.PASS
        self.put(stage, verdict, ordered[0].text + more if errors else passed, ordered)
        return not errors

    def put(self, stage: str, verdict: Verdict, text: str, findings: tuple[Finding, ...] = ()) -> None:
        """Note a check as it is."""
        self._append(stage, verdict, text, findings)

    def restart(self) -> None:
        """Leave out of the next stage's seconds what was before now."""
        self._lap()

    def _append(self, stage: str, verdict: Verdict, text: str, findings: tuple[Finding, ...]) -> None:
        check = Check(
            stage=stage, kernel=self.kernel, verdict=verdict, text=text, seconds=self._lap(), findings=findings
        )
        self.checks.append(check)

    def _lap(self) -> float:
        now = self.clock.monotonic_s()
        seconds, self.since_s = now - self.since_s, now
        return round(seconds, 3)


_JAILS = {"": "", "namespaces": ", compiled in namespaces of its own", "rlimits": ", compiled without a jail"}
_SILENT = SourceProblem(file="", line=0, column=0, severity="error", text="the compiler refused it without a word")
_RULES = {"load": "VERIFIER-REFUSED", "enable": "NOT-IN-CHARGE", "unload": "UNLOAD", "kernel-log": "KERNEL-COMPLAINT"}


def _finding(stage: str, outcome: Outcome, source: PolicySource) -> Finding:
    failed = outcome.verdict is Verdict.FAIL
    return Finding(
        rule=outcome.rule or (_RULES.get(stage, "EJECTED") if failed else "NOT-MEASURED"),
        level="error" if failed else "note",
        text=outcome.text,
        place=places.of_outcome(outcome, source),
        advice=outcome.advice,
    )


def _of_compiler(problem: SourceProblem) -> Finding:
    level = "error" if problem.severity == "error" else "warning"
    rule = "COMPILE-ERROR" if level == "error" else "COMPILE-WARNING"
    return Finding(rule=rule, level=level, text=problem.text, place=places.of_problem(problem))


def _many(count: int, words: str) -> str:
    """``, 2 warnings``; nothing for none."""
    return words.format(count) + "s" * (count != 1) if count else ""
