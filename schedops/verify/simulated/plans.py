"""The loads of the guests as plans for the simulator: the same groups of tasks, for any number of CPUs. Pure.

What programs cannot do is left out: tasks that are stopped or traced, and those that execute another program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from schedops.model.guest import LoadGroup, LoadPlan
from schedops.model.simulation import Instruction, Op, Program, SimCgroup, SimPlan, SimTask, Sync, SyncKind

MS_NS, US_NS = 1_000_000, 1000
DESIGNED_FOR = 2  # CPUs of the guests' loads
_EVER_NS = 1_000_000 * MS_NS
_NAME_BYTES = 15  # TASK_COMM_LEN - 1, include/linux/sched.h
_COMMON = 1  # the cgroup of all groups that have none of their own
_SPREAD = (750, 900, 1000, 1100, 1250)  # thousandths of a length: draws that differ from seed to seed
_LEFT_OUT = frozenset({"stopped", "traced", "execer"})
_RENICED = (5, 0, -5, 3, 0)  # as schedops/guest/load_task.c has it
_MAX_FORKERS = 8  # each needs as many tasks as it forks children
_SCATTER = 611_953  # a prime: neighbours come far apart
_GATE_NS = 10 * MS_NS
BRIEF_NS = 50_000  # a task with less CPU time than this has only come to the gate
KERNEL_THREADS = "kernel threads"
FAIR = "tasks of the fair class"
_NOT_EXT = (KERNEL_THREADS, FAIR)  # they do not ask for SCHED_EXT
_BOUND = "bound-sleeper"  # as sleepers, each on one of the group's CPUs, in turn


def grown(load: LoadPlan, cpus: int) -> LoadPlan:
    """A load for two CPUs as one for *cpus*: so many times the tasks, but for those that are bound to a CPU.

    What was on the last CPU of two is on the last one of all.
    """
    groups = tuple(_grown(group, cpus) for group in load.groups if group.kind not in _LEFT_OUT)
    steps = tuple(replace(step, cpu=step.cpu and cpus - 1) for step in load.hotplug)
    return replace(load, groups=groups, hotplug=steps)


def disturbed(load: LoadPlan, cpus: int) -> LoadPlan:
    """With a kernel thread on each CPU that wakes now and then, as on every real machine.

    Without any, a CPU that idles from the start never goes idle, and a task that is alone on its CPU never leaves it.
    """
    threads = LoadGroup(
        name=KERNEL_THREADS, kind=_BOUND, count=cpus, cpus=tuple(range(cpus)), work_us=20, sleep_us=20_000, outside=True
    )
    return replace(load, groups=(*load.groups, threads))


def beside_fair(load: LoadPlan) -> LoadPlan:
    """With tasks that do not ask for SCHED_EXT. They leave most of the CPUs to the others: they come first."""
    fair = LoadGroup(name=FAIR, kind="sleeper", count=DESIGNED_FOR, work_us=3000, sleep_us=12_000)
    return replace(load, groups=(*load.groups, fair))


def asking(plan: SimPlan) -> SimPlan:
    """Everybody asks for SCHED_EXT but those of whom nobody would expect it: for policies that declare ``partial``."""
    others = {plan.labels.index(name) for name in _NOT_EXT if name in plan.labels}
    return replace(plan, tasks=tuple(replace(task, ext=task.label not in others) for task in plan.tasks))


def _grown(group: LoadGroup, cpus: int) -> LoadGroup:
    where = tuple(0 if cpu == 0 else cpus - 1 for cpu in group.cpus)
    start = tuple(0 if cpu == 0 else cpus - 1 for cpu in group.start_on)
    count = group.count if where else -(-group.count * cpus // DESIGNED_FOR)
    if group.kind == "pipe":
        count += count % 2
    if group.kind == "forker":
        count = min(count, _MAX_FORKERS)
    return replace(group, count=count, cpus=where, start_on=start)


def plan_of(load: LoadPlan, cpus: int, *, seed: int) -> SimPlan:
    """A label for each group of the load, in their order; children have that of their parent."""
    made = _Plan(seed, load.duration_ms * MS_NS, tuple(range(cpus)))
    for label, group in enumerate(load.groups):
        made.add(label, group)
    goes, comes = (next((step for step in load.hotplug if step.online is back), None) for back in (False, True))
    return SimPlan(
        seed=seed,
        tasks=tuple(made.tasks),
        programs=tuple(made.programs),
        labels=tuple(group.name for group in load.groups),
        cgroups=tuple(made.cgroups),
        syncs=tuple(made.syncs),
        tables=tuple(made.tables),
        cpusets=tuple(made.cpusets),
        end_ns=load.duration_ms * MS_NS,
        offline_cpu=goes.cpu if goes else 0,
        offline_ns=goes.at_ms * MS_NS if goes else 0,
        online_ns=comes.at_ms * MS_NS if comes else 0,
    )


@dataclass
class _Plan:
    seed: int
    end_ns: int
    everywhere: tuple[int, ...]
    tasks: list[SimTask] = field(default_factory=list)
    programs: dict[Program, int] = field(default_factory=dict)
    cgroups: list[SimCgroup] = field(default_factory=lambda: [SimCgroup(name="/", parent=-1), SimCgroup(name="load")])
    syncs: list[Sync] = field(default_factory=list)
    tables: dict[tuple[int, ...], int] = field(default_factory=dict)
    cpusets: dict[tuple[int, ...], int] = field(default_factory=dict)

    def add(self, label: int, group: LoadGroup) -> None:
        cgroup = 0 if group.outside else _COMMON
        if group.weight:
            cgroup = len(self.cgroups)
            self.cgroups.append(SimCgroup(name=group.name, weight=group.weight))
        like = SimTask(
            name=group.name[:_NAME_BYTES],
            program=0,
            label=label,
            cgroup=cgroup,
            nice=group.nice,
            cpuset=self.cpuset(group.start_on or group.cpus),
            hint_ns=group.hint_us * US_NS,
            kernel=group.name == KERNEL_THREADS,
        )
        for number in range(group.count):
            place = group.cpus[number % len(group.cpus)] if group.kind == _BOUND else len(self.tasks)
            first = replace(like, cpuset=self.cpuset((place % len(self.everywhere),)))
            steps = self._to_the_gate(group)
            steps += tuple(_shifted(_KINDS[group.kind](self, group, like, number), len(steps)))
            shared = group.kind != _BOUND and (group.start_on or group.cpus)
            self.task(like if shared else first, steps)

    def task(self, like: SimTask, steps: Sequence[Instruction], *, forked: bool = False) -> int:
        arrival_ns = -1 if forked else self._arrival_ns()
        self.tasks.append(replace(like, program=self._program(tuple(steps)), arrival_ns=arrival_ns))
        return len(self.tasks) - 1

    def _arrival_ns(self) -> int:
        """Within the first millisecond, in another order for each seed."""
        return (self.seed * 7919 + len(self.tasks)) * _SCATTER % MS_NS

    def cpuset(self, cpus: Sequence[int]) -> int:
        return self.cpusets.setdefault(tuple(sorted(set(cpus))), len(self.cpusets)) if cpus else -1

    def table(self, length_us: int) -> int:
        values = tuple(max(1, length_us * US_NS * part // 1000) for part in _SPREAD)
        return self.tables.setdefault(values, len(self.tables))

    def semaphore(self) -> int:
        self.syncs.append(Sync(kind=SyncKind.SEMAPHORE))
        return len(self.syncs) - 1

    def _program(self, program: Program) -> int:
        return self.programs.setdefault(program, len(self.programs))

    def _to_the_gate(self, group: LoadGroup) -> Program:
        """As in guests: tasks have run, each on a CPU of its own in turn, and sleep until all are let go together.

        Who starts on some CPUs is bound to them until it runs after that.
        """
        loose, sleep = _step(Op.AFFINITY, self.cpuset(group.cpus or self.everywhere)), _step(Op.SLEEP, _GATE_NS)
        if group.start_on:
            return (sleep, loose)
        return (sleep,) if group.cpus else (loose, sleep)


def _step(op: Op, *operands: int) -> Instruction:
    return Instruction(op, *operands)


def _shifted(program: Program, by: int) -> Iterator[Instruction]:
    """The same behind so many other steps."""
    for step in program:
        yield step._replace(a=step.a + by) if step.op == Op.JUMP else step


def _hog(_made: _Plan, _group: LoadGroup, _like: SimTask, _number: int) -> Program:
    return (_step(Op.RUN, _EVER_NS),)


def _latecomer(_made: _Plan, group: LoadGroup, _like: SimTask, _number: int) -> Program:
    return (_step(Op.SLEEP, group.sleep_us * US_NS), _step(Op.RUN, _EVER_NS))


def _sleeper(made: _Plan, group: LoadGroup, _like: SimTask, _number: int) -> Program:
    work, rest = made.table(group.work_us), made.table(group.sleep_us)
    return (_step(Op.RUN_TABLE, work), _step(Op.SLEEP_TABLE, rest), _step(Op.JUMP, 0))


def _yielder(made: _Plan, group: LoadGroup, _like: SimTask, _number: int) -> Program:
    return (_step(Op.RUN_TABLE, made.table(group.work_us)), _step(Op.YIELD), _step(Op.JUMP, 0))


def _forker(made: _Plan, group: LoadGroup, like: SimTask, _number: int) -> Program:
    """Each child is a task of the plan, so a forker is a straight line."""
    steps: list[Instruction] = []
    child = (_step(Op.RUN_TABLE, made.table(group.work_us)),)
    for _ in range(made.end_ns // (group.sleep_us * US_NS)):
        steps += [_step(Op.FORK, made.task(like, child, forked=True), 1), _step(Op.SLEEP, group.sleep_us * US_NS)]
    return tuple(steps)


def _pipe(made: _Plan, group: LoadGroup, _like: SimTask, number: int) -> Program:
    """Two ends, one after the other; the first one begins."""
    if number % 2 == 0:
        made.semaphore()
        made.semaphore()
    mine, other = len(made.syncs) - 2 + number % 2, len(made.syncs) - 1 - number % 2
    wait, work, post = _step(Op.WAIT, mine), _step(Op.RUN, group.work_us * US_NS), _step(Op.POST, other)
    again = _step(Op.JUMP, 0)
    return (work, post, wait, again) if number % 2 == 0 else (wait, work, post, again)


def _mover(made: _Plan, group: LoadGroup, _like: SimTask, _number: int) -> Program:
    """From CPU to CPU, then anywhere, and again."""
    steps: list[Instruction] = []
    for cpus in (*((cpu,) for cpu in _some(made.everywhere)), made.everywhere):
        steps += [_step(Op.RUN, group.work_us * US_NS), _step(Op.AFFINITY, made.cpuset(cpus))]
    return (*steps, _step(Op.JUMP, 0))


def _renicer(_made: _Plan, group: LoadGroup, _like: SimTask, _number: int) -> Program:
    work = _step(Op.RUN, group.work_us * US_NS)
    steps = [step for nice in _RENICED for step in (work, _step(Op.NICE, group.nice + nice))]
    return (*steps, _step(Op.JUMP, 0))


def _some(cpus: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys((cpus[0], cpus[len(cpus) // 2], cpus[-1])))


_KINDS: dict[str, Callable[[_Plan, LoadGroup, SimTask, int], Program]] = {
    "hog": _hog,
    "latecomer": _latecomer,
    "sleeper": _sleeper,
    _BOUND: _sleeper,
    "yielder": _yielder,
    "forker": _forker,
    "pipe": _pipe,
    "mover": _mover,
    "renicer": _renicer,
}
