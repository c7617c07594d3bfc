"""Plans of the simulator's for the guest's player, and readings out of its replies. Pure; what is read is untrusted.

The formats are written down in ``schedops/guest/player_plan.c`` and ``player_reply.c``.
"""

from __future__ import annotations

from array import array

from schedops.adapters.sim.encode import check_plan, plan_words
from schedops.adapters.vm import wire
from schedops.errors import InputError, Unavailable
from schedops.model.guest import PlayReading
from schedops.model.simulation import (
    CpuResult,
    Histogram,
    LabelResult,
    SimEnd,
    SimPlan,
    SimResult,
    SimTask,
    SimVerdict,
    SyncKind,
    TaskResult,
)

MAX_TASKS = 4096
MAX_CGROUPS = 64
MAX_SYNCS = 4096
MAX_TABLES = 512
MAX_LABELS = 64
MAX_MESSAGES = 1 << 18  # that all queues together hold
MAX_BYTES = 16 << 20
BUCKETS = 976
_NO_ROOM = "no-room"
_VERDICTS = (
    SimVerdict.DONE,
    SimVerdict.EJECTED,
    SimVerdict.STUCK,
    SimVerdict.PLAN_ERROR,
    SimVerdict.LATE,
    _NO_ROOM,
)
_FLAG = ("0", "1")
_COLUMNS = (
    "arrived",
    "first_run",
    "completed",
    "cpu_ns",
    "wait_ns",
    "switches",
    "preemptions",
    "wakeups",
    "migrations",
)
# Figures of tasks that were not done are read a while after the end; clocks of CPUs are not the clock.
_SLACK_NS = 60 * 10**9
_MOST_NS = 86_400 * 10**9
_MOST_COUNT = 1 << 40
_MOST_NS_PER_1000 = 10**9


def play_request(plan: SimPlan, *, cpus: int, name_seed: int) -> bytes:
    """:param cpus: of the guest.

    :raises InputError: a plan that is not whole, larger than the player can hold, or of what no guest can play.
    """
    check_plan(plan, cpus)
    _check_size(plan)
    _check_kind(plan)
    mask = (1 << 64) - 1
    head = array("Q", (plan.seed & mask, plan.end_ns, name_seed & mask, int(plan.go_on)))
    tasks = array("q", (word for task in plan.tasks for word in _task_words(task)))
    payload = head.tobytes() + plan_words(plan).tobytes() + tasks.tobytes()
    if len(payload) > MAX_BYTES:
        raise _too_much(f"its programs and tables take {len(payload)} bytes, at most {MAX_BYTES} can be played")
    return payload


def play_reading(body: wire.Body, plan: SimPlan, *, cpus: int) -> PlayReading:
    """:raises Garbled: a field is missing, of another type, out of range, or cannot be together with another one.

    :raises Unavailable: ``guest-too-small``: the guest had no room for a task.
    """
    verdict = body.choice("verdict", _VERDICTS)
    message = body.one("message")[:200]
    if verdict == _NO_ROOM:
        raise Unavailable("guest-too-small", f"the guest could not play the plan: {message}", hint="a smaller --scale")
    end_ns = body.bounded("end_ns", _MOST_NS)
    tasks = _tasks(body, plan, end_ns)
    if verdict == SimVerdict.DONE and not plan.end_ns and any(task.completion_ns < 0 for task in tasks):
        raise wire.Garbled("done, and tasks are left")
    cpu_ns = sum(task.cpu_ns for task in tasks)
    if cpu_ns > (end_ns + _SLACK_NS) * cpus:
        raise wire.Garbled(f"{cpu_ns} ns of CPU time in {end_ns} ns on {cpus} CPUs")
    ns_per_1000 = body.bounded("ns_per_1000", _MOST_NS_PER_1000)
    if not ns_per_1000:
        raise wire.Garbled("work that takes no time")
    switches = body.bounded("context_switches", _MOST_COUNT)
    result = SimResult(
        end=SimEnd(verdict=verdict, message=message),
        end_ns=end_ns,
        tasks=tasks,
        cpus=_cpus(body, cpus, end_ns),
        labels=_labels(body, plan),
        decisions=switches,
        wakeups=sum(task.wakeups for task in tasks),
        ticks=-1,
        completions=-1,
        ejected_ns=body.bounded("ejected", end_ns + 1 if plan.go_on else 0) - 1,
    )
    return PlayReading(
        result=result,
        ns_per_1000=ns_per_1000,
        hints_accepted=body.bounded("hints_accepted", sum(task.hint_ns > 0 for task in plan.tasks)),
        cpu_ns=cpu_ns,
        wall_ns=end_ns,
        context_switches=switches,
        cgroup_ns=_cgroups(body, plan, cpus, end_ns),
        rusage_ns=1000 * body.bounded("rusage_us", (end_ns + _SLACK_NS) * cpus // 1000),
        clean=body.choice("clean", _FLAG) == "1",
    )


def _task_words(task: SimTask) -> tuple[int, ...]:
    who = (task.program, task.label, task.cgroup, task.nice, task.cpuset)
    return (*who, task.arrival_ns, task.hint_ns, 1 if task.realtime else 2 if task.ext else 0)


def _check_size(plan: SimPlan) -> None:
    held = sum(sync.value for sync in plan.syncs if sync.kind == SyncKind.QUEUE)
    for what, count, most in (
        ("tasks", len(plan.tasks), MAX_TASKS),
        ("cgroups", len(plan.cgroups), MAX_CGROUPS),
        ("semaphores, locks, barriers, queues and events", len(plan.syncs), MAX_SYNCS),
        ("tables", len(plan.tables), MAX_TABLES),
        ("labels", len(plan.labels), MAX_LABELS),
        ("messages in its queues", held, MAX_MESSAGES),
    ):
        if count > most:
            raise _too_much(f"the plan has {count} {what}, at most {most} can be played")


def _check_kind(plan: SimPlan) -> None:
    if plan.offline_ns:
        raise _cannot("a CPU that goes offline is not played; a load with hotplug steps has that")
    if any(task.kernel for task in plan.tasks):
        raise _cannot("threads of the kernel's cannot be played: nobody outside of the kernel can make one")
    above = {cgroup.parent for cgroup in plan.cgroups[1:]} - {0}
    if any(task.cgroup in above for task in plan.tasks):
        raise _cannot("a cgroup, other than the root, that has both tasks and cgroups: the kernel refuses those")


def _tasks(body: wire.Body, plan: SimPlan, end_ns: int) -> tuple[TaskResult, ...]:
    columns = [body.column(name, len(plan.tasks)) for name in _COLUMNS]
    return tuple(_task(row, end_ns) for row in zip(*columns, strict=True))


def _task(row: tuple[int, ...], end_ns: int) -> TaskResult:
    arrived, first, done, cpu_ns, wait_ns, switches, preemptions, wakeups, migrations = row
    in_order = (not first or 0 < arrived <= first) and (not done or 0 < first <= done <= end_ns + 1)
    if not in_order or max(arrived, first) > end_ns + 1:
        raise wire.Garbled("a task that arrived, ran and ended in no possible order")
    if max(cpu_ns, wait_ns) > end_ns + _SLACK_NS or max(switches, preemptions, wakeups, migrations) > _MOST_COUNT:
        raise wire.Garbled("figures of a task that cannot be")
    return TaskResult(
        arrival_ns=arrived - 1,
        first_run_ns=first - 1,
        completion_ns=done - 1,
        cpu_ns=cpu_ns,
        wait_ns=wait_ns,
        max_wait_ns=-1,
        switches=switches,
        preemptions=preemptions,
        wakeups=wakeups,
        migrations=(migrations, 0, 0),
    )


def _cgroups(body: wire.Body, plan: SimPlan, cpus: int, end_ns: int) -> int | None:
    ns = 1000 * body.bounded("cgroups_us", (end_ns + _SLACK_NS) * cpus // 1000)
    return ns if len(plan.cgroups) > 1 and ns else None


def _cpus(body: wire.Body, cpus: int, end_ns: int) -> tuple[CpuResult, ...]:
    words, watched_ns = body.one("busy_ns"), body.bounded("watched_ns", end_ns + _SLACK_NS)
    if not words:
        return ()
    busy = wire.numbers(words, cpus)
    if watched_ns < end_ns or max(busy) > end_ns + _SLACK_NS:
        raise wire.Garbled("CPUs that were busy for longer than the play")
    return tuple(CpuResult(busy_ns=ns, idle_ns=max(watched_ns - ns, 0), idle_waste_ns=-1) for ns in busy)


def _labels(body: wire.Body, plan: SimPlan) -> tuple[LabelResult, ...]:
    wakeups, requests = body.all("wakeup"), body.all("request")
    if len(wakeups) != len(plan.labels) or len(requests) != len(plan.labels):
        raise wire.Garbled(f"histograms of {len(wakeups)} and {len(requests)} labels, there are {len(plan.labels)}")
    rows = zip(wakeups, requests, strict=True)
    return tuple(LabelResult(wakeup=_histogram(one), request=_histogram(other)) for one, other in rows)


def _histogram(words: str) -> Histogram:
    values = wire.numbers(words, len(words.split()))
    buckets, counts = values[::2], values[1::2]
    if len(buckets) != len(counts) or list(buckets) != sorted(set(buckets)):
        raise wire.Garbled("buckets in no order")
    if any(bucket >= BUCKETS for bucket in buckets) or any(not 0 < count < 1 << 32 for count in counts):
        raise wire.Garbled("a histogram that cannot be")
    return Histogram(tuple(zip(buckets, counts, strict=True)))


def _too_much(message: str) -> InputError:
    return InputError("too-large", message, hint="a smaller --scale")


def _cannot(message: str) -> InputError:
    return InputError("not-playable", message)
