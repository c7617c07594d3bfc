"""What is simulated and what comes of it. Integers only; the encoding for the engine is the adapter's business.

Times are nanoseconds of simulated time since the start of the run, indexes are places in the tuples of the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Op(IntEnum):
    """One step of a task's program. Operands a, b, c; what is not named is 0. All times are ns.

    What takes no time happens at once, in the order of the program; a program that makes 10,000 such steps in a row is
    an error of the plan (``SimResult.verdict`` is ``plan-error``).
    """

    EXIT = 0  # also implied by the end of the program
    RUN = 1  # a: work, as ns on a CPU of capacity 1024 at full frequency
    RUN_TABLE = 2  # as RUN, drawn from table a
    SLEEP = 3  # a: for so long
    SLEEP_TABLE = 4  # as SLEEP, drawn from table a
    TIMER = 5  # a: period, b: timer 0..3 of the task, c: 0 catches up when late, 1 starts anew from now.
    #            The first TIMER of a timer sets it to now + a; it sleeps until then; each one moves it on by a.
    WAIT = 6  # a: semaphore, b: tokens to take (0 counts as 1); blocks, first come first served
    POST = 7  # a: semaphore, b: tokens to give (0 counts as 1)
    LOCK = 8  # a: lock; blocks while another task holds it
    UNLOCK = 9  # a: lock
    BARRIER = 10  # a: barrier; blocks until as many tasks as its value are there
    FORK = 11  # a: first task, b: how many (0 counts as 1): they arrive now; each has arrival_ns -1
    LOOP = 12  # a: program counter, b: times, c: counter 0..3 of the task: jumps to a until it was reached b times in
    #            all (b = 0: forever), then the counter is 0 again and the program goes on
    JUMP = 13  # a: program counter
    YIELD = 14
    NICE = 15  # a: -20 .. 19, of the task itself
    AFFINITY = 16  # a: cpuset, of the task itself
    BEGIN = 17  # a request of this task begins now
    END = 18  # it ends: now - begin goes into the request histogram of the task's label
    SEND = 19  # a: queue, b: 0 the message is from now, 1 from the task's BEGIN; blocks while the queue is full
    RECV = 20  # a: queue; blocks while it is empty; the task's BEGIN becomes the message's time
    SUSPEND = 21  # a: event, b: 1 + lock to release meanwhile (0: none); blocks until the next SIGNAL
    SIGNAL = 22  # a: event, b: 0 all that wait, 1 the first one


class Instruction(NamedTuple):
    """One step."""

    op: int
    a: int = 0
    b: int = 0
    c: int = 0


Program = tuple[Instruction, ...]


class SyncKind(IntEnum):
    """What a synchronisation object is, and what its *value* means."""

    SEMAPHORE = 0  # tokens at the start
    LOCK = 1  # 0: handed to the first who waits; 1: free for whoever comes first, the first who waits is woken
    BARRIER = 2  # tasks it waits for
    QUEUE = 3  # messages it holds at most, 1 .. 65536
    EVENT = 4  # 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """A synchronisation object."""

    kind: SyncKind
    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCgroup:
    """:param parent: index of the parent; -1 for the root, which is always index 0.

    :param weight: cpu.weight, 1 .. 10000.
    """

    name: str
    parent: int = 0
    weight: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SimTask:
    """One task.

    :param name: what the kernel calls comm; at most 15 bytes.
    :param label: class of tasks, index into ``SimPlan.labels``; results are summed up per label.
    :param cpuset: CPUs it may use, index into ``SimPlan.cpusets``; -1 for all.
    :param arrival_ns: when it becomes runnable first; -1: when a FORK names it.
    :param hint_ns: expected CPU time for the policy's ``hints`` map; 0: nothing is known.
    :param program: index into ``SimPlan.programs``.
    :param realtime: SCHED_FIFO: it runs before everything that the scheduler has, which is a policy; its cpuset is one
        CPU, which it keeps, and its nice value changes nothing.
    :param kernel: it is a thread of the kernel's: policies see PF_KTHREAD in its flags.
    :param ext: it asks for SCHED_EXT, which matters to a policy with SCX_OPS_SWITCH_PARTIAL alone: that one schedules
        only such tasks, the fair class all others. Else every task is the policy's.
    """

    name: str
    program: int
    label: int = 0
    cgroup: int = 0
    nice: int = 0
    cpuset: int = -1
    arrival_ns: int = 0
    hint_ns: int = 0
    realtime: bool = False
    kernel: bool = False
    ext: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimPlan:
    """Everything that happens, but for who runs when.

    :param seed: of the draws from *tables*. Each task draws from a sequence of its own, so draws depend on the task
        alone and not on the scheduler.
    :param end_ns: the run ends then; 0: when every task is done.
    :param offline_ns: *offline_cpu*, of several, goes offline then; 0: never. Its tasks go elsewhere; those that may
        use no other CPU may use all of them from then on. A policy without ops.cpu_offline() is ejected to be loaded
        anew (kind 66).
    :param online_ns: it comes back then; 0: never. A policy without ops.cpu_online() is ejected likewise.
    :param go_on: a policy that is ejected leaves its tasks to EEVDF, and the run goes on; else it ends.
    """

    seed: int
    tasks: tuple[SimTask, ...]
    programs: tuple[Program, ...]
    labels: tuple[str, ...] = ("task",)
    cgroups: tuple[SimCgroup, ...] = (SimCgroup(name="/", parent=-1),)
    syncs: tuple[Sync, ...] = ()
    tables: tuple[tuple[int, ...], ...] = ()
    cpusets: tuple[tuple[int, ...], ...] = ()
    end_ns: int = 0
    offline_ns: int = 0
    offline_cpu: int = 0
    online_ns: int = 0
    go_on: bool = False


class Histogram(NamedTuple):
    """Log-linear: 16 buckets per power of two. (bucket, count) of those that are not empty, by bucket."""

    counts: tuple[tuple[int, int], ...] = ()


def bucket_bounds(bucket: int) -> tuple[int, int]:
    """Lowest value of a bucket, and the lowest of the next one."""
    if bucket < 16:
        return bucket, bucket + 1
    shift = bucket // 16 - 1
    low = (16 + bucket % 16) << shift
    return low, low + (1 << shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What became of one task; times that did not come are -1.

    :param cpu_ns: on a CPU, with the costs of switches and migrations; *wait_ns* runnable and not running.
    :param migrations: within an LLC, across LLCs, across nodes.
    :param switches: times it was put on a CPU after another task or idleness.
    :param preemptions: times it left a CPU while it could have gone on.
    """

    arrival_ns: int
    first_run_ns: int
    completion_ns: int
    cpu_ns: int
    wait_ns: int
    max_wait_ns: int
    switches: int
    preemptions: int
    wakeups: int
    migrations: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuResult:
    """wall = busy_ns + idle_ns; *idle_waste_ns* is the part of idle_ns in which a task waited that may run here."""

    busy_ns: int
    idle_ns: int
    idle_waste_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelResult:
    """Histograms in ns: wake-up to running, and request begin to end."""

    wakeup: Histogram
    request: Histogram


class TraceKind(IntEnum):
    """A record of the event stream; see :attr:`SimResult.trace`."""

    RUN = 1  # task goes on cpu; argument: its wait in ns
    STOP = 2  # task leaves cpu; argument 1: it could go on, 0: it blocks or ends
    WAKE = 3  # task becomes runnable, cpu of the waker; argument: 1 + task that woke it, 0: a timer
    EXIT = 4
    MIGRATE = 5  # task on cpu; argument: the CPU it ran on before
    IDLE = 6  # cpu has nothing to run
    QUEUE = 7  # task: how many are queued; argument: id of the dispatch queue
    REQUEST = 8  # a request of task ended; argument: ns it took
    TICK = 9


TRACE_RECORD = "<QQIHH"  # time ns, argument, task, cpu, kind; 24 bytes
NOBODY = 0xFFFFFFFF  # a record's task when there is none


class SimVerdict:
    """How a run ended: values of ``SimResult.verdict``."""

    DONE = "done"  # everybody is done, or end_ns was reached
    EJECTED = "ejected"  # the kernel would have thrown the policy out
    FAULT = "fault"  # the policy trapped, ran out of fuel or of memory
    UNSUPPORTED = "unsupported"  # it uses what the simulator does not have: INCONCLUSIVE, never a guess
    STUCK = "stuck"  # tasks are left and nothing can happen any more (a deadlock of the plan)
    PLAN_ERROR = "plan-error"
    LATE = "late"  # of a played plan only: the deadline came first


@dataclass(frozen=True, slots=True, kw_only=True)
class SimEnd:
    """Why it ended.

    :param kind: for EJECTED the kernel's exit kind (``enum scx_exit_kind``: 1024 error, 1025 scx_bpf_error, 1026
        stall, 64.. unregistered), else 0.
    :param message: of DONE empty, unless the policy had no task: it is a partial one, and nobody asked for SCHED_EXT.
    :param place: ``file:line`` of the policy's source when known.
    """

    verdict: str
    kind: int = 0
    message: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResult:
    """What one run showed.

    :param events: decisions (a CPU chose what to run), wake-ups, ticks, completions of a step; each counts 1.
    :param trace: records of :data:`TRACE_RECORD` in order of time, when asked for.
    :param ejected_ns: when the policy was ejected and the run went on (``SimPlan.go_on``); -1: the run ended at *end*.
    """

    end: SimEnd
    end_ns: int
    tasks: tuple[TaskResult, ...]
    cpus: tuple[CpuResult, ...]
    labels: tuple[LabelResult, ...]
    decisions: int
    wakeups: int
    ticks: int
    completions: int
    trace: bytes = b""
    ejected_ns: int = -1

    @property
    def events(self) -> int:
        """See the class."""
        return self.decisions + self.wakeups + self.ticks + self.completions
