"""One case of the verifier's simulated stage, run to be looked at: the policy beside the default scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from schedops.errors import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError
from schedops.model.guest import LoadGroup
from schedops.model.simulation import SimPlan, SimResult
from schedops.ports import SimScheduler, Simulator
from schedops.report.simulation import end_words
from schedops.report.table import table
from schedops.sim.groups import Groups
from schedops.sim.perfetto.chrome import chrome_trace
from schedops.sim.perfetto.protobuf import perfetto_trace
from schedops.sim.picture.timeline import Panel, timeline
from schedops.sim.stream import Traced
from schedops.verify.simulated import cases, judging
from schedops.verify.simulated.cases import Case
from schedops.verify.simulated.judging import Problem

_HEADER = ("TASKS", "COUNT", "NICE", "CPU MS EACH", "LONGEST WAIT MS", "EEVDF: CPU MS EACH", "LONGEST WAIT MS")
_WIDTH = 200


@dataclass(frozen=True, slots=True)
class CaseRun:
    """The same plan, with the policy and with the default scheduler.

    :param problem: what the verifier has against it; *unsaid*: why it cannot say.
    """

    case: Case
    policy: str
    plan: SimPlan
    result: SimResult
    default: SimResult
    problem: Problem | None
    unsaid: str

    @property
    def exit_code(self) -> int:
        """0 nothing wrong, 1 the policy failed, 3 the simulator cannot say."""
        if self.problem is not None:
            return EXIT_FAIL
        return EXIT_INCONCLUSIVE if self.unsaid else EXIT_DONE


def run_case(wanted: str, policy: SimScheduler, simulator: Simulator, *, trace: bool) -> CaseRun:
    """:param wanted: a case's id, as findings name it.

    :raises InputError: ``no-case``: there is no such case.
    """
    case = cases.find(wanted)
    if case is None:
        raise InputError(
            "no-case", f"there is no case {wanted[:100]!r}", hint="findings of `schedops verify` name them"
        )
    plan = case.plan(partial=policy.source is not None and policy.source.policy.capabilities.partial)
    default = simulator.run(plan, case.machine, SimScheduler("eevdf"), trace=trace)
    result = simulator.run(plan, case.machine, policy, trace=trace)
    problem = judging.problem_of(case, plan, result)
    unsaid = judging.unsaid(result) or judging.refusal(case, result)
    return CaseRun(case, policy.name, plan, result, default, problem, unsaid)


def case_page(found: CaseRun) -> str:
    """What became of each kind of task, and what the verifier says of it."""
    head = f"{found.policy}: {found.case}, simulated, not measured"
    rows = [_row(found, group) for group in found.case.load.groups]
    parts = [head, table(_HEADER, list(dict.fromkeys(rows)), width=_WIDTH)] if not found.unsaid else [head]
    return "\n\n".join([*parts, _said(found)])


def case_data(found: CaseRun) -> dict[str, Any]:
    """The same for scripts."""
    end = found.result.end
    problem = found.problem
    return {
        "rung": "simulated",
        "case": found.case.id,
        "policy": found.policy,
        "end": {"verdict": end.verdict, "kind": end.kind, "message": end.message, "place": end.place},
        "rule": problem.rule.id if problem is not None else "",
        "text": problem.text if problem is not None else found.unsaid,
        "groups": [
            {"name": group.name, "nice": group.nice, "longest_wait_ms": _longest(found.result, found.plan, group.name)}
            for group in found.case.load.groups
        ],
    }


def case_plot(found: CaseRun) -> bytes:
    """SVG: default scheduler above policy, kinds of tasks as colours."""
    groups = Groups(found.plan.labels, tuple(task.label for task in found.plan.tasks))
    panels = [Panel("eevdf", found.plan, found.default), Panel(found.policy, found.plan, found.result)]
    subtitle = f"Simulated, not measured: {found.case}"
    return timeline(_said(found)[:140], subtitle, panels, groups)


def case_trace(found: CaseRun, *, json: bool) -> bytes:
    """Both runs as a trace for Perfetto."""
    sides = (("eevdf", found.default), (found.policy, found.result))
    runs = [Traced(f"{name}, simulated, {found.case}", found.plan, result) for name, result in sides]
    return b"".join(chrome_trace(runs) if json else perfetto_trace(runs))


def _said(found: CaseRun) -> str:
    if found.problem is not None:
        place = f"{found.problem.place}: " if found.problem.place else ""
        return f"{place}{found.problem.rule.id}: {found.problem.text}"
    if found.unsaid:
        return end_words(found.result.end)
    return f"{found.policy}: nothing wrong with it here"


def _row(found: CaseRun, group: LoadGroup) -> tuple[str, ...]:
    cells = []
    for result in (found.result, found.default):
        tasks = _tasks(result, found.plan, group.name)
        cells += [f"{median(task.cpu_ns for task in tasks) / 1e6:.1f}" if tasks else "-"]
        cells += [f"{_longest(result, found.plan, group.name):.1f}"]
    count = len(_tasks(found.result, found.plan, group.name))
    return (group.name, str(count), str(group.nice), *cells)


def _tasks(result: SimResult, plan: SimPlan, name: str) -> list[Any]:
    label = plan.labels.index(name)
    came = zip(plan.tasks, result.tasks, strict=False)  # a run that never began has none
    return [done for task, done in came if task.label == label and done.arrival_ns >= 0]


def _longest(result: SimResult, plan: SimPlan, name: str) -> float:
    return max((task.max_wait_ns for task in _tasks(result, plan, name)), default=0) / 1e6
