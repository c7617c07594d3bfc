"""The checks of one kernel while they are made: which stages there are, what each came to, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field

from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, Check, SourceProblem
from schedops.ports import Clock
from schedops.verify import places
from schedops.verify.judge import Finding

STAGES = ("compile", "load", "enable", "liveness", "unload", "kernel-log")


@dataclass(slots=True)
class Record:
    """Checks in the order they are made; the clock runs from one to the next."""

    source: PolicySource
    kernel: str
    clock: Clock
    since_s: float
    checks: list[Check] = field(default_factory=list)

    def add(self, stage: str, finding: Finding) -> bool:
        """Note a finding; True when the next stage may run."""
        where = places.of_finding(finding, self.source)
        self._append(stage, finding.verdict, finding.text, where=where, advice=finding.advice, seconds=self._lap())
        return finding.verdict is Verdict.PASS

    def add_failure(self, failure: BuildFailure) -> None:
        """One check for every error of the compiler."""
        seconds = self._lap()
        errors = [problem for problem in failure.problems if problem.severity == "error"] or [_SILENT]
        for problem in errors:
            where = places.of_problem(problem)
            self._append("compile", Verdict.FAIL, problem.text, where=where, advice="", seconds=seconds)
            seconds = 0.0

    def restart(self) -> None:
        """Leave out of the next stage's seconds what was before now."""
        self._lap()

    def _append(self, stage: str, verdict: Verdict, text: str, *, where: str, advice: str, seconds: float) -> None:
        check = Check(
            stage=stage,
            kernel=self.kernel,
            verdict=verdict,
            text=text,
            where=where,
            advice=advice,
            seconds=seconds,
        )
        self.checks.append(check)

    def _lap(self) -> float:
        now = self.clock.monotonic_s()
        seconds, self.since_s = now - self.since_s, now
        return round(seconds, 3)


_SILENT = SourceProblem(file="", line=0, column=0, severity="error", text="the compiler refused it without a word")
