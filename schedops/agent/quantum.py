"""A small deterministic model of CPUs that run jobs in slices: what order of service is worth, and nothing else.

No caches, no wake-up costs, no preemption inside a slice. It predicts; it never stands in for a measurement.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.stats.summary import median

MAX_SLICES = 1500  # a run is modelled with about so many slices, so that a prediction takes milliseconds


class Discipline(Enum):
    """Who runs next."""

    FAIR = "fair sharing"
    GROUPS_IN_ORDER = "groups in order of arrival, each to its end"
    LONG_FIRST = "long jobs first, the others to their end in order"


@dataclass(slots=True)
class _Task:
    index: int
    group: int
    left_us: int
    weight: float
    hint_ns: int
    attained_us: int = 0
    vruntime: float = 0.0
    seq: int = 0
    slices: int = 0


@dataclass(slots=True)
class _Build:
    # A group of the plan while it runs: phases follow each other, each with its own limit of jobs at once.
    parallel: tuple[int, ...]
    phases: list[list[_Task]]
    phase: int = 0
    running: int = 0
    vruntime: float = 0.0


@dataclass(slots=True)
class _Machine:
    plan: JobPlan
    setup: RunSetup
    slice_us: int
    builds: list[_Build]
    key: Callable[[_Machine, _Task], tuple[float, ...]]
    ready: list[_Task] = field(default_factory=list)
    events: list[tuple[int, int, _Task | None, int]] = field(default_factory=list)  # time, seq, slice's task, group
    idle: int = 0
    seq: int = 0
    start_us: dict[int, int] = field(default_factory=dict)
    end_us: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        self.idle = self.plan.cpus
        for number, arriving in enumerate(self.plan.groups):
            self.push(arriving.arrival_us, None, number)
        while self.events:
            now, _, task, group = heapq.heappop(self.events)
            if task is None:
                self.admit(group, now)
            else:
                self.slice_done(task, now)
            while self.idle and self.ready:
                self.dispatch(now)

    def push(self, when_us: int, task: _Task | None, group: int) -> None:
        self.seq += 1
        heapq.heappush(self.events, (when_us, self.seq, task, group))

    def admit(self, group: int, now: int) -> None:
        build = self.builds[group]
        while build.phase < len(build.phases):
            waiting = build.phases[build.phase]
            while waiting and build.running < build.parallel[build.phase]:
                self.enter(waiting.pop(0), build, now)
            if waiting or build.running:
                return
            build.phase += 1

    def enter(self, task: _Task, build: _Build, now: int) -> None:
        # A task that comes starts level with those that are there, as EEVDF places it, and so does a group.
        peers = [other.vruntime for other in self.ready if not self.setup.cgroup_per_group or other.group == task.group]
        task.vruntime = max(task.vruntime, min(peers, default=0.0))
        if not build.running:
            others = [self.builds[other.group].vruntime for other in self.ready]
            build.vruntime = max(build.vruntime, min(others, default=0.0))
        build.running += 1
        self.seq += 1
        task.seq = self.seq
        self.start_us[task.index] = now
        self.ready.append(task)

    def dispatch(self, now: int) -> None:
        task = min(self.ready, key=lambda one: self.key(self, one))
        self.ready.remove(task)
        self.idle -= 1
        turn = min(self.slice_us, task.left_us)
        task.left_us -= turn
        task.attained_us += turn
        task.vruntime += turn / task.weight
        task.slices += 1
        self.builds[task.group].vruntime += turn
        self.push(now + turn, task, task.group)

    def slice_done(self, task: _Task, now: int) -> None:
        self.idle += 1
        if task.left_us:
            self.ready.append(task)
            return
        self.end_us[task.index] = now
        self.builds[task.group].running -= 1
        self.admit(task.group, now)


def simulate(
    plan: JobPlan, setup: RunSetup, discipline: Discipline, *, us_per_work: float, slice_us: int = 3000
) -> RunReading:
    """Run a plan in the model.

    :param us_per_work: CPU time of one unit of work.
    :param slice_us: turned up for long runs so that the cost stays bounded.
    :return: as the launcher would have measured it; hints count as taken by disciplines that read them.
    """
    lengths = [max(1, round(job.work * us_per_work)) for job in plan.jobs]
    tasks = [
        _Task(index, job.group, lengths[index], 1.25 ** -setup.nice[index], setup.hint_ns[index])
        for index, job in enumerate(plan.jobs)
    ]
    builds = [_Build(group.parallel, [[] for _ in group.parallel]) for group in plan.groups]
    for task, job in zip(tasks, plan.jobs, strict=True):
        builds[job.group].phases[job.phase].append(task)
    step = max(slice_us, sum(lengths) // MAX_SLICES)
    machine = _Machine(plan, setup, step, builds, _key_of(discipline, setup))
    machine.run()
    return _reading(machine, tasks, lengths, takes_hints=discipline is not Discipline.FAIR)


def _key_of(discipline: Discipline, setup: RunSetup) -> Callable[[_Machine, _Task], tuple[float, ...]]:
    known = [ns for ns in setup.hint_ns if ns]
    if discipline is Discipline.GROUPS_IN_ORDER:
        return lambda machine, task: (machine.plan.groups[task.group].arrival_us, task.group, -task.hint_ns, task.seq)
    if discipline is Discipline.LONG_FIRST and known:
        long = 2 * median(known)
        return lambda _, task: (0, 0, task.seq) if task.hint_ns > long else (1, not task.attained_us, task.seq)
    if setup.cgroup_per_group:
        return lambda machine, task: (machine.builds[task.group].vruntime, task.vruntime, task.seq)
    return lambda _, task: (task.vruntime, task.seq)


def _reading(machine: _Machine, tasks: Sequence[_Task], lengths: Sequence[int], *, takes_hints: bool) -> RunReading:
    start = tuple(machine.start_us[task.index] for task in tasks)
    end = tuple(machine.end_us[task.index] for task in tasks)
    slices = sum(task.slices for task in tasks)
    setup = machine.setup
    return RunReading(
        start_us=start,
        end_us=end,
        cpu_us=tuple(lengths),
        run_delay_us=tuple(max(0, e - s - cpu) for s, e, cpu in zip(start, end, lengths, strict=True)),
        voluntary_switches=(1,) * len(tasks),
        involuntary_switches=tuple(task.slices - 1 for task in tasks),
        exit_codes=(0,) * len(tasks),
        hints_accepted=sum(1 for ns in (*setup.hint_ns, *setup.group_hint_ns) if ns) if takes_hints else 0,
        wall_us=max(end, default=0),
        context_switches=slices,
        wakeups=len(tasks),
        machine_cpu_us=sum(lengths),
    )
