"""Plays, accounting and probes without a kernel: every task gets its work, the CPUs are shared evenly."""

from __future__ import annotations

from schedops.analyze.costs import work_ns
from schedops.model.accounting import COUNTERS, Accounting, Counter, Pressure
from schedops.model.guest import PlayReading
from schedops.model.probe import ProbedClass, ProbedSlot, ProbeReading
from schedops.model.simulation import (
    CpuResult,
    Histogram,
    LabelResult,
    Op,
    SimEnd,
    SimPlan,
    SimResult,
    TaskResult,
)

_BLOCKS = {Op.SLEEP, Op.SLEEP_TABLE, Op.TIMER, Op.WAIT, Op.RECV, Op.BARRIER, Op.SUSPEND}
_ENDS_NEVER = 1000  # steps of a loop that has no end, as often as a run sees them


def play_of(plan: SimPlan, cpus: int, *, verdict: str = "done", slower: float = 1.0) -> PlayReading:
    """All tasks share the CPUs from their arrival on until the sum of all work is done, *slower* times as late."""
    works = [int(work_ns(plan, plan.programs[task.program])) for task in plan.tasks]
    end_ns = plan.end_ns or max(int(sum(works) / cpus * slower), *works, 1)
    tasks = tuple(_task(plan, index, work, end_ns) for index, work in enumerate(works))
    cpu_ns = sum(task.cpu_ns for task in tasks)
    result = SimResult(
        end=SimEnd(verdict=verdict),
        end_ns=end_ns,
        tasks=tasks,
        cpus=tuple(CpuResult(busy_ns=cpu_ns // cpus, idle_ns=0, idle_waste_ns=-1) for _ in range(cpus)),
        labels=tuple(LabelResult(wakeup=Histogram(), request=Histogram()) for _ in plan.labels),
        decisions=10,
        wakeups=sum(task.wakeups for task in tasks),
        ticks=-1,
        completions=-1,
    )
    return PlayReading(
        result=result,
        ns_per_1000=5000,
        hints_accepted=0,
        cpu_ns=cpu_ns,
        wall_ns=end_ns,
        context_switches=10,
        clean=True,
    )


def _task(plan: SimPlan, index: int, work: int, end_ns: int) -> TaskResult:
    program = plan.programs[plan.tasks[index].program]
    starts = any(step.op == Op.FORK for step in program)
    blocks = sum(step.op in _BLOCKS for step in program)
    arrival_ns = max(0, min(plan.tasks[index].arrival_ns, end_ns - work))
    life = end_ns - arrival_ns
    return TaskResult(
        arrival_ns=arrival_ns,
        first_run_ns=arrival_ns,
        completion_ns=-1 if plan.end_ns else end_ns,
        cpu_ns=min(work, life),
        wait_ns=0 if starts or blocks else max(0, life - work),
        max_wait_ns=-1,
        switches=2,
        preemptions=1,
        wakeups=1 + blocks * (_ENDS_NEVER if plan.end_ns else 1),
        migrations=(0, 0, 0),
    )


def counters_at(now_ns: int) -> tuple[Counter, ...]:
    """Of a kernel without a processor's counters: software events grow with time."""
    hardware = COUNTERS[COUNTERS.index("cycles") :]
    return tuple(
        Counter(name=name, value=None, errno=2)
        if name in hardware
        else Counter(name=name, value=now_ns // 1000, wanted_ns=now_ns, counted_ns=now_ns)
        for name in COUNTERS
    )


def accounting_at(now_ns: int) -> Accounting:
    """Counters that have grown with time; a CPU in two is busy."""
    busy = now_ns // 2_000_000
    return Accounting(
        now_ns=now_ns,
        cpu_ms=(busy, 0, 0, busy, 0, 0, 0, 0),
        context_switches=now_ns // 1_000_000,
        forks=now_ns // 100_000_000,
        page_faults=now_ns // 1_000_000,
        major_faults=0,
        counters=counters_at(now_ns),
        run_ns=now_ns // 2,
        wait_ns=now_ns // 4,
        cpu_pressure=Pressure(some_us=now_ns // 4000, full_us=0),
    )


def probes_of(plan: SimPlan, reading: PlayReading) -> ProbeReading:
    """What the probes would count of a play; whoever blocks is woken by a task."""
    classes = []
    for label in range(len(plan.labels)):
        pairs = zip(plan.tasks, reading.result.tasks, strict=True)
        members = [result for task, result in pairs if task.label == label]
        wakeups = sum(result.wakeups for result in members)
        classes.append(
            ProbedClass(
                name=f"class{label}",
                run_ns=sum(result.cpu_ns for result in members),
                wait_ns=sum(result.wait_ns for result in members),
                sleep_ns=0,
                blocked_ns=0,
                switches=sum(result.switches for result in members),
                preemptions=sum(result.preemptions for result in members),
                wakeups=wakeups,
                migrations=0,
                forks=0,
                execs=0,
                exits=len(members),
                latency=((60, wakeups),),
                burst=((80, wakeups),),
                wakes=((label, wakeups),),
            )
        )
    slot_ns = 10_000_000
    count = min(512, reading.wall_ns // slot_ns + 1)
    return ProbeReading(
        duration_ns=reading.wall_ns,
        slot_ns=slot_ns,
        timer_wakeups=0,
        lost=0,
        classes=tuple(classes),
        slots=tuple(ProbedSlot(run_ns=slot_ns, wait_ns=slot_ns // 2, latency_max_ns=1000) for _ in range(count)),
    )
