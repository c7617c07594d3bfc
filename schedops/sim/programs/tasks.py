"""Tasks with programs: classes, phases and steps of a :class:`schedops.model.workload_kinds.TasksModel` to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from schedops.errors import InputError
from schedops.model.simulation import Instruction, Op, Program, SimPlan
from schedops.model.workload_kinds import TaskClass, TaskPhase, TasksModel, TaskStep
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.steps import FOREVER, fork, looped, ns_of_ms
from schedops.sim.programs.task_steps import Names, instructions
from schedops.workloads.draw import exponential, generator

MAX_FORKS = 1024  # by one task; rt-app's own limit (FORKS_LIMIT)
MAX_FORK_DEPTH = 60
MAX_UNROLLED = 100_000  # steps of a program whose loops had to be written out
# The engine keeps 0 as "this timer was not set yet", and a task anchors its timers when it begins.
_FIRST_NS = 1
_PHASE_COUNTER, _CLASS_COUNTER = 0, 1


def tasks_plan(model: TasksModel, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan; *scale* multiplies the tasks of each class.

    Every timer of a task begins to count when the task begins.

    :raises InputError: ``bad-workload`` with the place of what is wrong.
    """
    made = _Tasks(model, wanted)
    made.check()
    for at, one in enumerate(model.classes):
        made.arrivals(at, one)
    plan = made.builder.plan(seed=wanted.seed, end_ns=ns_of_ms(model.duration_ms))
    return made.without_a_cpu(plan), Extent()


@dataclass
class _Tasks:
    model: TasksModel
    wanted: Situation
    builder: PlanBuilder = field(default_factory=PlanBuilder)
    names: Names = field(init=False)
    cgroups: dict[str, int] = field(default_factory=lambda: {"": 0})
    forking: list[str] = field(default_factory=list)  # classes that are being forked, one by the other

    def __post_init__(self) -> None:
        counts = {one.name: self.count(one) for one in self.model.classes}
        self.names = Names(self.builder, self.model.classes, counts)

    def bad(self, what: str, path: str) -> InputError:
        return InputError("bad-workload", what, where=f"{self.wanted.name}::$.{path}")

    def count(self, one: TaskClass) -> int:
        wanted = one.tasks + one.tasks_per_cpu * self.wanted.cpus
        return max(1, round(wanted * self.wanted.scale)) if wanted else 0

    def check(self) -> None:
        seen: set[str] = set()
        for at, one in enumerate(self.model.classes):
            path = f"classes[{at}]"
            if one.name in seen:
                raise self.bad(f"class {one.name!r} is there twice", f"{path}.name")
            seen.add(one.name)
            try:
                self.names.timers(one)
            except ValueError as error:
                raise self.bad(f"{one.name!r}: {error}", path) from None
            endless = one.loop == FOREVER or any(phase.loop == FOREVER for phase in one.phases)
            if endless and self.count(one) and not self.model.duration_ms:
                raise self.bad(f"{one.name!r} runs for ever, so the run needs a duration", path)
            for cpus in (one.cpus, *(phase.cpus for phase in one.phases)):
                unknown = [cpu for cpu in cpus if cpu >= self.wanted.cpus]
                if unknown:
                    what = f"{one.name!r} wants CPU {unknown[0]}, {self.wanted.machine.name} has {self.wanted.cpus}"
                    raise self.bad(what, path)

    def without_a_cpu(self, plan: SimPlan) -> SimPlan:
        gone = self.model.offline
        if gone is None:
            return plan
        if gone.cpu >= self.wanted.cpus or self.wanted.cpus == 1:
            what = f"CPU {gone.cpu} cannot go offline, {self.wanted.machine.name} has {self.wanted.cpus}"
            raise self.bad(what, "offline.cpu")
        if 0 < gone.to_ms <= gone.from_ms:
            raise self.bad(f"CPU {gone.cpu} comes back before it went", "offline.to_ms")
        goes, comes = ns_of_ms(gone.from_ms), ns_of_ms(gone.to_ms)
        return replace(plan, offline_cpu=gone.cpu, offline_ns=max(1, goes), online_ns=comes)

    def arrivals(self, at: int, one: TaskClass) -> None:
        rng, when_ms = generator("arrivals", self.wanted.name, self.wanted.seed, at), one.start_ms
        for index in range(self.count(one)):
            if one.gap_ms and index:
                when_ms += exponential(rng, one.gap_ms)
            self.add(one, at, f"{one.name}-{index}", max(_FIRST_NS, ns_of_ms(when_ms)))

    def add(self, one: TaskClass, at: int, name: str, arrival_ns: int) -> int:
        return self.builder.task(
            name,
            self.program(one, at),
            label=one.name,
            cgroup=self.cgroup(one),
            nice=one.nice,
            cpuset=self.builder.cpuset(one.cpus) if one.cpus else -1,
            arrival_ns=arrival_ns,
            ext=one.ext,
        )

    def cgroup(self, one: TaskClass) -> int:
        path, parent = "", 0
        parts = one.cgroup.strip("/").split("/") if one.cgroup else []
        for at, part in enumerate(parts):
            path = f"{path}/{part}"
            if path not in self.cgroups:
                weight = one.cgroup_weight if at == len(parts) - 1 else 100
                self.cgroups[path] = self.builder.cgroup(part, parent=parent, weight=weight)
            parent = self.cgroups[path]
        return parent

    def program(self, one: TaskClass, at: int) -> Program:
        timers = self.names.timers(one)
        anchors = tuple(Instruction(Op.TIMER, 0, timer) for timer in range(len(timers)))
        if any(step.do == "fork" for phase in one.phases for step in phase.steps):
            return (*anchors, *self.unrolled(one, at, len(anchors)))
        body: Program = ()
        for phase in one.phases:
            begins = self.settings(one, phase)
            steps = self.steps(one, phase.steps, at)
            place = len(anchors) + len(body) + len(begins)
            body += (*begins, *looped(steps, phase.loop, _PHASE_COUNTER, place))
        return (*anchors, *looped(body, one.loop, _CLASS_COUNTER, len(anchors)))

    def settings(self, one: TaskClass, phase: TaskPhase) -> Program:
        found: Program = ()
        if phase.nice is not None:
            found += (Instruction(Op.NICE, phase.nice),)
        if any(other.cpus for other in one.phases):
            cpus = phase.cpus or one.cpus or range(self.wanted.cpus)
            found += (Instruction(Op.AFFINITY, self.builder.cpuset(cpus)),)
        return found

    def steps(self, one: TaskClass, steps: Sequence[TaskStep], at: int) -> Program:
        found: Program = ()
        for place, step in enumerate(steps):
            try:
                found += instructions(step, self.names, one)
            except ValueError as error:
                raise self.bad(f"{one.name!r}: {error}", f"classes[{at}] step {place}") from None
        return found

    def unrolled(self, one: TaskClass, at: int, begins: int) -> Program:
        # A FORK names the tasks that it makes, so each round of a loop needs one of its own.
        if one.loop == FOREVER or any(phase.loop == FOREVER for phase in one.phases):
            raise self.bad(f"{one.name!r} forks in a loop without end", f"classes[{at}]")
        if one.name in self.forking:
            raise self.bad(f"{one.name!r} forks itself: {' > '.join((*self.forking, one.name))}", f"classes[{at}]")
        if len(self.forking) == MAX_FORK_DEPTH:
            raise self.bad(f"forks are nested deeper than {MAX_FORK_DEPTH}", f"classes[{at}]")
        self.forking.append(one.name)
        found = self.rounds(one, at, begins)
        self.forking.pop()
        return found

    def rounds(self, one: TaskClass, at: int, begins: int) -> Program:
        found: list[Instruction] = []
        forks = 0
        for _ in range(one.loop):
            for phase in one.phases:
                found += self.settings(one, phase)
                if not any(step.do == "fork" for step in phase.steps):
                    steps = self.steps(one, phase.steps, at)
                    found += looped(steps, phase.loop, _PHASE_COUNTER, begins + len(found))
                    continue
                for _ in range(phase.loop):
                    for step in phase.steps:
                        forks += step.do == "fork"
                        if forks > MAX_FORKS or len(found) > MAX_UNROLLED:
                            what = f"{MAX_FORKS} times" if forks > MAX_FORKS else f"{MAX_UNROLLED} steps later"
                            raise self.bad(f"{one.name!r} forks more than {what}", f"classes[{at}]")
                        is_fork = step.do == "fork"
                        found += fork(self.forked(one, step, at, forks)) if is_fork else self.steps(one, (step,), at)
        return tuple(found)

    def forked(self, one: TaskClass, step: TaskStep, at: int, number: int) -> int:
        for place, other in enumerate(self.model.classes):
            if other.name == step.name and any(
                inner.do == "barrier" for phase in other.phases for inner in phase.steps
            ):
                raise self.bad(f"{other.name!r} is forked and has a barrier", f"classes[{place}]")
            if other.name == step.name and other.start_ms:
                raise self.bad(f"{other.name!r} is forked and has a start of its own", f"classes[{place}]")
            if other.name == step.name:
                if self.names.timers(other):
                    raise self.bad(f"{other.name!r} is forked and has a timer", f"classes[{place}]")
                return self.add(other, place, f"{other.name}-{number}", -1)
        raise self.bad(f"{one.name!r} forks {step.name!r}, and there is no class of that name", f"classes[{at}]")
