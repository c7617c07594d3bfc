"""A recording of scheduling events as if it had been a run of ours under probes: the same figures, the same rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from schedops.analyze.bottleneck import bottleneck_of
from schedops.analyze.judge import judge, weigh
from schedops.analyze.played import played_figures
from schedops.analyze.probed import probed_figures, wake_graph
from schedops.analyze.recorded import not_recorded, without_timers, without_wakers
from schedops.analyze.roles import task_classes
from schedops.analyze.words import words
from schedops.model.guest import PlayReading
from schedops.model.probe import ProbedClass, ProbedSlot, ProbeReading, probe_bucket
from schedops.model.profile import Profile, TierCost
from schedops.model.simulation import (
    Histogram,
    Instruction,
    LabelResult,
    Op,
    SimEnd,
    SimPlan,
    SimResult,
    SimTask,
    SimVerdict,
    TaskResult,
)
from schedops.pipeline.profiled import Looked
from schedops.sim.programs.builder import printable
from schedops.sim.programs.trace_text import Recording, Switch, Wakeup

SLOTS = 400
# Threads of the kernel's by name, as events do not say what they are.
_KERNEL = ("kworker/", "ksoftirqd/", "migration/", "rcu_", "rcuo", "irq/", "kthreadd", "kswapd", "khugepaged")
_REALTIME = 100  # priorities below it; include/linux/sched/prio.h, Linux 6.12
_CLASSES = 64

RUNNING, WAITING, OFF = "running", "waiting", "off"


def recorded(found: Recording, name: str, source: str) -> Looked:
    """The profile of a recording. Kernel threads and real-time tasks are left out, as the probes leave them out.

    :param name: what the profile is called; a workload's name. *source*: what was recorded, for the document.
    """
    replay = _Replay(found)
    for event in found.events:
        replay.take(event)
    plan, reading, probed = replay.run()
    cpus = max(1, len({event.cpu for event in found.events if isinstance(event, Switch)}))
    rows, seen = task_classes(plan, reading, probed), probed_figures(probed, cpus)
    if not found.interrupts:
        rows, seen = without_wakers(rows), without_timers(seen)
    figures = (*played_figures(plan, reading, rows, cpus), *seen)
    called = {f"class{index}": label for index, label in enumerate(plan.labels)}
    profile = Profile(
        workload=name,
        kernel="recorded",
        cpus=cpus,
        seed=0,
        accelerator="none",
        figures=figures,
        classes=judge(figures),
        cpu_ms_quantiles=(),
        tier="probe",
        source=f"recording {printable(source)}"[:400],
        tasks=rows[:_CLASSES],
        wakes=wake_graph(probed, called=lambda comm: called.get(comm, comm)),
        bottleneck=bottleneck_of(figures, cpus),
        missing=not_recorded(lost=found.lost, interrupts=found.interrupts),
        costs=(TierCost(tier="probe", seconds=0.0, how="nothing is run: it was recorded elsewhere"),),
    )
    return Looked(profile=replace(profile, words=words(profile)), weighed=weigh(figures), probed=probed)


@dataclass(slots=True)
class _Task:
    """What was seen of one thread, times in ns since the begin of the recording."""

    arrived_ns: int
    state: str
    since_ns: int
    starts: list[int] = field(default_factory=list)
    first_ns: int = -1
    done_ns: int = -1
    cpu_ns: int = 0
    wait_ns: int = 0
    sleep_ns: int = 0
    burst_ns: int = 0
    switches: int = 0
    preemptions: int = 0
    wakeups: int = 0
    migrations: int = 0
    cpu: int = -1
    latency: Counter[int] = field(default_factory=Counter)
    burst: Counter[int] = field(default_factory=Counter)
    wakes: Counter[int] = field(default_factory=Counter)


class _Replay:
    def __init__(self, found: Recording) -> None:
        self._found = found
        self._begin_ns = found.events[0].time_ns
        self._length_ns = max(1, found.events[-1].time_ns - self._begin_ns)
        self._slot_ns = max(1, -(-self._length_ns // SLOTS))
        self._slots = [[0, 0, 0] for _ in range(SLOTS + 1)]
        self._tasks: dict[int, _Task] = {}
        self._timers = 0

    def take(self, event: Switch | Wakeup) -> None:
        now_ns = event.time_ns - self._begin_ns
        if isinstance(event, Wakeup):
            self._woken(event, now_ns)
            return
        if self._counts(event.before):
            self._leaves(self._task(event.before, RUNNING, 0), event, now_ns)
        if self._counts(event.after):
            self._goes_on(self._task(event.after, WAITING, now_ns), event.cpu, now_ns)

    def run(self) -> tuple[SimPlan, PlayReading, ProbeReading]:
        """All of it, cut off at the last event."""
        for task in self._tasks.values():
            self._until(task, self._length_ns)
        names = sorted({self._name(who) for who in self._tasks})
        order = {who: index for index, who in enumerate(self._tasks)}
        label = {name: index for index, name in enumerate(names)}
        plan = SimPlan(
            seed=0,
            tasks=tuple(
                SimTask(name="task", program=index, label=label[self._name(who)]) for who, index in order.items()
            ),
            programs=tuple(
                tuple(Instruction(Op.FORK, order[child]) for child in task.starts if child in order)
                for task in self._tasks.values()
            ),
            labels=tuple(names),
        )
        return plan, self._reading(plan), self._probed(plan, list(order))

    def _name(self, who: int) -> str:
        return printable(self._found.names.get(who, "")).strip() or "?"

    def _counts(self, who: int) -> bool:
        return (
            who != 0 and not self._name(who).startswith(_KERNEL) and self._found.priorities.get(who, 120) >= _REALTIME
        )

    def _task(self, who: int, state: str, since_ns: int) -> _Task:
        if who not in self._tasks:
            self._tasks[who] = _Task(arrived_ns=since_ns, state=state, since_ns=since_ns)
        return self._tasks[who]

    def _woken(self, event: Wakeup, now_ns: int) -> None:
        if not self._counts(event.who):
            return
        known = event.who in self._tasks
        task = self._task(event.who, OFF, now_ns if event.new else 0)
        if known and task.state != OFF:
            return
        task.sleep_ns += now_ns - task.since_ns
        task.state, task.since_ns = WAITING, now_ns
        task.wakeups += 1
        if not self._counts(event.by):
            self._timers += not event.new
            return
        waker = self._task(event.by, RUNNING, 0)
        waker.wakes[event.who] += 1
        if event.new:
            waker.starts.append(event.who)

    def _leaves(self, task: _Task, event: Switch, now_ns: int) -> None:
        self._until(task, now_ns)
        task.state, task.since_ns = (WAITING if event.runnable else OFF), now_ns
        if event.runnable:
            task.preemptions += 1
            return
        task.burst[probe_bucket(task.burst_ns)] += 1
        task.burst_ns = 0
        if event.gone:
            task.done_ns = now_ns

    def _goes_on(self, task: _Task, cpu: int, now_ns: int) -> None:
        waited_ns = now_ns - task.since_ns
        if task.state == WAITING:
            task.latency[probe_bucket(waited_ns)] += 1
            slot = self._slots[now_ns // self._slot_ns]
            slot[2] = max(slot[2], waited_ns)
        self._until(task, now_ns)
        task.switches += 1
        task.migrations += task.cpu not in {-1, cpu}
        task.state, task.since_ns, task.cpu = RUNNING, now_ns, cpu
        if task.first_ns < 0:
            task.first_ns = now_ns

    def _until(self, task: _Task, now_ns: int) -> None:
        """Books the stint that lasts until now."""
        ns = max(0, now_ns - task.since_ns)
        if task.state == RUNNING:
            task.cpu_ns += ns
            task.burst_ns += ns
            self._spread(now_ns - ns, ns, 0)
        elif task.state == WAITING:
            task.wait_ns += ns
            self._spread(now_ns - ns, ns, 1)
        task.since_ns = now_ns

    def _spread(self, begin_ns: int, left_ns: int, column: int) -> None:
        while left_ns > 0:
            index = begin_ns // self._slot_ns
            part = min(left_ns, (index + 1) * self._slot_ns - begin_ns)
            self._slots[index][column] += part
            begin_ns, left_ns = begin_ns + part, left_ns - part

    def _reading(self, plan: SimPlan) -> PlayReading:
        rows = tuple(_result(task) for task in self._tasks.values())
        switches = sum(row.switches for row in rows)
        result = SimResult(
            end=SimEnd(verdict=SimVerdict.DONE),
            end_ns=self._length_ns,
            tasks=rows,
            cpus=(),
            labels=tuple(LabelResult(wakeup=Histogram(), request=Histogram()) for _ in plan.labels),
            decisions=switches,
            wakeups=sum(row.wakeups for row in rows),
            ticks=-1,
            completions=-1,
        )
        return PlayReading(
            result=result,
            ns_per_1000=1,
            hints_accepted=0,
            cpu_ns=sum(row.cpu_ns for row in rows),
            wall_ns=self._length_ns,
            context_switches=switches,
            clean=True,
        )

    def _probed(self, plan: SimPlan, order: list[int]) -> ProbeReading:
        place = {who: plan.tasks[index].label for index, who in enumerate(order)}
        members: list[list[_Task]] = [[] for _ in plan.labels]
        for who, task in self._tasks.items():
            members[place[who]].append(task)
        return ProbeReading(
            duration_ns=self._length_ns,
            slot_ns=self._slot_ns,
            timer_wakeups=self._timers,
            lost=0,
            classes=tuple(_class(f"class{index}", tasks, place) for index, tasks in enumerate(members)),
            slots=tuple(ProbedSlot(run_ns=run, wait_ns=wait, latency_max_ns=most) for run, wait, most in self._slots),
        )


def _result(task: _Task) -> TaskResult:
    return TaskResult(
        arrival_ns=task.arrived_ns,
        first_run_ns=task.first_ns,
        completion_ns=task.done_ns,
        cpu_ns=task.cpu_ns,
        wait_ns=task.wait_ns,
        max_wait_ns=-1,
        switches=task.switches,
        preemptions=task.preemptions,
        wakeups=max(1, task.wakeups),
        migrations=(task.migrations, 0, 0),
    )


def _class(name: str, tasks: list[_Task], place: dict[int, int]) -> ProbedClass:
    wakes: Counter[int] = Counter()
    for task in tasks:
        for who, times in task.wakes.items():
            wakes[place[who]] += times
    return ProbedClass(
        name=name,
        run_ns=sum(task.cpu_ns for task in tasks),
        wait_ns=sum(task.wait_ns for task in tasks),
        sleep_ns=sum(task.sleep_ns for task in tasks),
        blocked_ns=0,
        switches=sum(task.switches for task in tasks),
        preemptions=sum(task.preemptions for task in tasks),
        wakeups=sum(task.wakeups for task in tasks),
        migrations=sum(task.migrations for task in tasks),
        forks=sum(len(task.starts) for task in tasks),
        execs=0,
        exits=sum(task.done_ns >= 0 for task in tasks),
        latency=tuple(sorted(sum((task.latency for task in tasks), Counter[int]()).items())),
        burst=tuple(sorted(sum((task.burst for task in tasks), Counter[int]()).items())),
        wakes=tuple(sorted(wakes.items())),
    )
