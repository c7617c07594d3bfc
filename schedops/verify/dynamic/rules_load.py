"""Rules about what tasks see while the policy schedules them."""

from __future__ import annotations

from schedops.verify import stages
from schedops.verify.rule import Rule

STALL = Rule(
    id="STALL",
    level="error",
    stage=stages.LIVENESS,
    title="A task that was ready to run was left waiting until the kernel's watchdog put the policy out",
    why="""\
sched_ext keeps a list of runnable tasks per CPU and looks at it every `timeout_ms / 2`. A task on it for longer than
`timeout_ms` (30 s unless set) ends the policy: "runnable task stall". The time it takes is therefore between 1.0 and
1.5 times the timeout. The verifier loads a copy of the object with a timeout of 4 s, above every wait it allows, so a
stall is a task that was lost or starved, kernel threads included.

Usual causes: a queue nobody consumes; a full BPF map whose error is ignored; a task in a queue that only CPUs outside
its affinity look at; an early `return` in `enqueue`; strict priority without ageing.""",
    fix="Every task that `enqueue` receives must be found by `dispatch` on a CPU of its mask, in bounded time. Check "
    "the results of map updates and put the task in SCX_DSQ_GLOBAL when they fail.",
    source="kernel/sched/ext.c: scx_watchdog_workfn(), check_rq_for_timeouts(), Linux 6.16 to 7.3",
)
STARVED = Rule(
    id="STARVED",
    level="error",
    stage=stages.LIVENESS,
    title="A task that was ready to run waited too long",
    why="""\
Every task of the load writes down, by its own clock, when it last made progress; the longest gap while it was ready
is its longest wait. Allowed are 2.0 s, 3.0 s in a crowd of hundreds of tasks, 3.5 s at nice 10 and above. Good
policies stay far below (typically 0.05 to 0.8 s).

The kernel's own watchdog comes much later, and not at all for a task that runs once in a while. The finding says which
kind of task waited: niced, bound to one CPU, forked, woken up, in a cgroup of its own.""",
    fix="Find the path this kind of task takes through `enqueue`, and which CPU's `dispatch` gives it out, and when. "
    "Strict orders (priority, last in first out, infinite slices) need ageing or a bound.",
    source="measured; the limits separated a corpus of labelled policies on Linux 6.16 to 7.3",
)
NEVER_RAN = Rule(
    id="NEVER-RAN",
    level="error",
    stage=stages.LIVENESS,
    title="A task never ran at all",
    why="It was ready from the first moment of the load to its end and was not given a CPU once. Such a task is lost: "
    "it sits in a queue nobody looks at, or in none. It counts when it shows twice, since a host may stop an "
    "emulated CPU for two seconds.",
    fix="Follow this kind of task from `enqueue` to the `dispatch` of a CPU it may run on.",
    source="measured: the task's own counter was still 0",
)
AFFINITY = Rule(
    id="AFFINITY",
    level="error",
    stage=stages.LIVENESS,
    title="A task was seen on a CPU that it may not use",
    why="`sched_setaffinity()` and cpusets are promises to programs: per-CPU data, real-time neighbours and NUMA "
    "placement rely on them.",
    fix="Test `bpf_cpumask_test_cpu(cpu, p->cpus_ptr)` before a task is placed on or taken to a CPU.",
    source="sched_setaffinity(2); measured by the task itself with sched_getcpu()",
)
UNFAIR_EQUAL = Rule(
    id="UNFAIR-EQUAL",
    level="error",
    stage=stages.FAIRNESS,
    title="Equal tasks get unequal CPU time",
    why="Tasks of the same nice value and cgroup that never sleep should get the same. Jain's index of their CPU times "
    "is 1 when they do and 1/n when one gets everything; below 0.90 (0.80 among 40 in a crowd) some user waits for no "
    "reason he can see. Policies that declare `cgroups` may run groups and their tasks one after the other and are not "
    "asked; the limits for waiting hold for them too.",
    fix="Give back the place in the queue when a slice ends; charge what was really used (`running` to `stopping`).",
    source="R. Jain et al., A Quantitative Measure of Fairness, DEC TR-301, 1984; measured on a labelled corpus",
)
UNFAIR_WEIGHT = Rule(
    id="UNFAIR-WEIGHT",
    level="error",
    stage=stages.FAIRNESS,
    title="CPU time does not follow the weights that it declares, or goes the wrong way round",
    why="""\
Nice 0 has a weight of 1024, nice 5 of 335: sharing a CPU, one gets 3.05 times as much as the other. Accepted is 2.0
to 5.5, measured twice: with three of each, and with exactly one of each.

The second case breaks policies that order a queue and forget the task that is just coming off the CPU: it is not in
the queue yet when `dispatch` runs, so the only other task is always taken, and the two alternate whatever their
weights are. Policies that implement `cgroup_set_weight` are asked for `cpu.weight` in the same way.

A policy that does not declare `weights` owes nobody a ratio. But when, in the mix, a very niced hog gets more than 1.5
times as much as one of nice 0, and that one 1.5 times as much as a favoured one, nice works the wrong way round.""",
    fix="Charge run time divided by `p->scx.weight`. In `dispatch` weigh `prev` (when it is still queued) against the "
    "head of the queue, and refill `prev->scx.slice` to keep it.",
    source="kernel/sched/core.c: sched_prio_to_weight[], Linux 6.16; kernel/sched/ext.c: balance_one() calls "
    "ops.dispatch() before put_prev_task_scx() enqueues prev",
)
NOT_WORK_CONSERVING = Rule(
    id="NOT-WORK-CONSERVING",
    level="error",
    stage=stages.FAIRNESS,
    title="CPUs idle while tasks wait",
    why="The hogs start together on one CPU and are then let loose: twice as many as there are CPUs. Less than 0.80 of "
    "all CPU time used means that a CPU stood idle while others had a queue: the machine is slower than it is. The "
    "same is asked of a CPU that has tasks of one nice value only, and of four CPUs with two last-level caches.",
    fix="Let a CPU that finds nothing of its own take from the queues of others, and wake an idle CPU "
    "(`scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE)`) when a task is queued that it may run.",
    source="measured from /proc/PID/schedstat of all tasks of the load",
)
LATENCY = Rule(
    id="LATENCY",
    level="error",
    stage=stages.FAIRNESS,
    title="Tasks that wake up among hogs are answered too late",
    why="A task that sleeps and wakes up (a shell, a server, a compositor) shares CPUs with tasks that never sleep. "
    "When 1 % of its wake-ups take more than 0.52 s until it runs, people notice with the naked eye. The wait is about "
    "slice x (tasks ahead) / CPUs in a FIFO.",
    fix="Shorter slices, or a head start for tasks that slept, bounded so that they cannot starve the others.",
    source="measured by the sleepers: 99th percentile, power-of-two buckets, twice as many hogs as CPUs",
)
OVERHEAD = Rule(
    id="OVERHEAD",
    level="error",
    stage=stages.OVERHEAD,
    title="A callback takes too long",
    why="""\
`enqueue`, `select_cpu`, `running` and their like run with the run queue locked and interrupts off, at every wake-up
and every slice end: what they cost, every task pays. Means above 20 us (`dispatch`: 80 us) under emulation, where
instructions cost about ten times as much as on hardware, are refused; good policies need 0.5 to 9 us (2 to 30 us).

The figure is the kernel's own (`kernel.bpf_stats_enabled`), of the quietest stretch of the load in which the callback
was cheapest, so that a busy host does not show in it.""",
    fix="No long loops in callbacks: precompute, look at a bounded number of tasks, move work to `dispatch` of an idle "
    "CPU or to a timer.",
    source="kernel/bpf/syscall.c: run_time_ns, run_cnt; measured on a labelled corpus",
)
SWITCH_STORM = Rule(
    id="SWITCH-STORM",
    level="error",
    stage=stages.OVERHEAD,
    title="It switches tasks thousands of times a second while nobody sleeps",
    why="Among tasks that never sleep a switch is needed once per slice. More than 2000 switches a second on two CPUs "
    "mean slices below a millisecond or needless preemption: caches are cold before they are used.",
    fix="Slices of 1 to 20 ms; `SCX_KICK_PREEMPT` only for a task that must run now.",
    source="ctxt in /proc/stat during a load of hogs",
)
HOTPLUG = Rule(
    id="HOTPLUG",
    level="error",
    stage=stages.HOTPLUG,
    title="It does not survive that a CPU goes and comes back",
    why="""\
CPUs go offline and online: suspend, live migration, microcode, power capping. Without `cpu_online` and `cpu_offline`
the kernel ends the policy with a restart code ("unregistered from the main kernel"), which is accepted unless
`hotplug` is declared. With the callbacks the policy takes this on itself: tasks queued for the CPU that went must be
found by another one.

The verifier takes the last CPU away under load and brings it back: no ejection, no stall, no lost task, no complaint
in the kernel log.""",
    fix="Let another CPU drain the queue of an offline one, and do not queue for it any more; or leave the callbacks "
    "out and let the loader restart the policy.",
    source="kernel/sched/ext.c: handle_hotplug(), SCX_ECODE_RSN_HOTPLUG, Linux 6.16",
)
TOO_FEW_ENQUEUES = Rule(
    id="TOO-FEW-ENQUEUES",
    level="note",
    stage=stages.CHURN,
    title="Too few enqueues to speak of flaws that show late",
    why="Counters overflow, tables fill and samplers fire after tens of thousands of calls, so the load goes on until "
    "`enqueue` ran 100,000 times by the kernel's count. It did not within the time limit: the host was too slow, or "
    "the policy lets hardly any task through `enqueue`.",
    fix="Verify again on a quieter host.",
    source="run_cnt of the program, include/uapi/linux/bpf.h (struct bpf_prog_info)",
)

RULES = (
    STALL,
    STARVED,
    NEVER_RAN,
    AFFINITY,
    UNFAIR_EQUAL,
    UNFAIR_WEIGHT,
    NOT_WORK_CONSERVING,
    LATENCY,
    OVERHEAD,
    SWITCH_STORM,
    HOTPLUG,
    TOO_FEW_ENQUEUES,
)
