"""The stage: all cases on the simulator, what they show as one check, or why there is none."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from schedops.errors import Unavailable
from schedops.model.event import Event
from schedops.model.policy import PolicySource
from schedops.model.simulation import SimVerdict
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, NotRun
from schedops.ports import Crew, SimScheduler, Simulator
from schedops.verify import stages
from schedops.verify.dynamic.rules_charge import NOT_MEASURED
from schedops.verify.kernel import Bench
from schedops.verify.record import Record
from schedops.verify.simulated import cases, judging
from schedops.verify.simulated.cases import Case
from schedops.verify.simulated.judging import Problem
from schedops.verify.simulated.unseen import unseen

NO_SOURCE = "an object has no source that could be simulated"
NO_SIMULATOR = "no simulator is at hand"
_CGROUP_WEIGHTS = "cgroup_set_weight"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one case came to; three empty fields: nothing wrong.

    :param unsaid: why it says nothing, *refusal*: in which words the policy would not start there.
    """

    case: Case
    problem: Problem | None
    unsaid: str
    refusal: str
    longest_ms: float
    whose: str
    events: int


def simulate(bench: Bench, simulator: Simulator, crew: Crew, *, deep: bool, custody: bool) -> Check | NotRun:
    """Whatever fails is an error; it is the same each time, so nothing is asked twice.

    :param deep: all shapes and seeds, not only those that an edit waits for.
    :param custody: by which kernels' rules: see ``SimScheduler``.
    """
    record = Record(bench.source, "", bench.clock, bench.clock.monotonic_s())
    asked = cases_of(bench.source, deep=deep)
    text = f"{bench.source.policy.name} on {len(asked)} simulated machines and loads"
    bench.progress.emit(Event(kind="progress", stage="verify", text=text))
    try:
        scheduler = SimScheduler(bench.source.policy.name, bench.source, bench.params, custody)
        ran = _all(scheduler, simulator, crew, asked)
    except Unavailable as error:
        words = f"{error.message} ({error.code})"
        finding = Finding(rule=NOT_MEASURED.id, level="note", text=words, advice=error.hint)
        record.put(stages.SIMULATE, Verdict.ERROR, words, (finding,))
        return record.checks[0]
    findings = _findings(ran, bench.source)
    unsaid = next((one for one in ran if one.unsaid), None)
    if unsaid is not None and not any(finding.level == "error" for finding in findings):
        return NotRun(stage=stages.SIMULATE, text=unsaid.unsaid)
    if blind := unseen(bench.source):
        findings.append(Finding(rule=NOT_MEASURED.id, level="note", text=f"not simulated: {blind}"))
    record.add_findings(stages.SIMULATE, findings, looked_at=_summary(ran))
    return record.checks[0]


def cases_of(source: PolicySource, *, deep: bool) -> tuple[Case, ...]:
    """What is run for it."""
    promised = source.policy.capabilities
    if not deep:
        return cases.brief(promised)
    by_cgroup = cases.of_cgroups(promised) if _CGROUP_WEIGHTS in source.text else ()
    return (*cases.thorough(promised), *by_cgroup)


def _all(scheduler: SimScheduler, simulator: Simulator, crew: Crew, asked: Sequence[Case]) -> list[Ran]:
    """The first one alone: it makes what all need. What ends it there ends the others."""
    run = partial(_run, simulator, scheduler)
    first = run(asked[0])
    if first.problem is not None or first.unsaid:
        return [first]
    return [first, *crew.each(run, asked[1:], at_once=crew.cores())]


def _run(simulator: Simulator, scheduler: SimScheduler, case: Case) -> Ran:
    plan = case.plan(partial=scheduler.source is not None and scheduler.source.policy.capabilities.partial)
    result = simulator.run(plan, case.machine, scheduler, trace=False)
    problem, unsaid = judging.problem_of(case, plan, result), judging.unsaid(result)
    done = result.end.verdict == SimVerdict.DONE
    longest_ms, whose = judging.longest_wait(case, plan, result) if done else (0.0, "")
    refusal = judging.refusal(case, result)
    return Ran(case, problem, unsaid, refusal, longest_ms, whose, result.events)


def _findings(ran: Sequence[Ran], source: PolicySource) -> list[Finding]:
    """One for each rule and place, where it showed first, and how often."""
    groups: dict[tuple[str, str], list[tuple[Case, Problem]]] = {}
    for one in ran:
        if one.problem is not None:
            groups.setdefault((one.problem.rule.id, one.problem.place), []).append((one.case, one.problem))
    found = [_finding(members, len(ran), source) for members in groups.values()]
    return found + [_note(one) for one in ran if one.refusal][:1]


def _finding(members: Sequence[tuple[Case, Problem]], runs: int, source: PolicySource) -> Finding:
    case, problem = members[0]
    more = f" (in {len(members)} of {runs} runs)" if len(members) > 1 else ""
    see = f"to see it: `schedops simulate {shlex.quote(source.path)} --case {case.id} --plot out.svg`"
    return judging.finding_of(problem, case, more, source, see)


def _note(one: Ran) -> Finding:
    text = f"it does not start on {one.case.cpus} CPUs ({one.case.machine.name}): {one.refusal}"
    return Finding(rule="EJECTED", level="note", text=text)


def _summary(ran: Sequence[Ran]) -> str:
    worst = max(ran, key=lambda one: one.longest_ms)
    events = sum(one.events for one in ran)
    waited = f"longest wait {worst.longest_ms:.0f} ms ({worst.whose}, {worst.case})"
    return f"simulated, not measured: {len(ran)} runs, {events} events, {waited}"
