"""The rules on kicks and slices, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, WARNING, rule


def _kick(call: str) -> str:
    return f"""
        static u32 nr_cpus;

        void BPF_STRUCT_OPS(kick_dispatch, s32 cpu, struct task_struct *prev)
        {{
            u32 i;

            bpf_for(i, 0, nr_cpus)
                if (i != (u32)cpu)
                    {call};
        }}
"""


KICK_WAIT = rule(
    "KICK-WAIT",
    ERROR,
    "A hot path waits for other CPUs to reschedule",
    why="""
        `SCX_KICK_WAIT` makes the kicking CPU wait until the other one has gone through the scheduler. In a loop over
        CPUs on a path that every CPU takes, they wait for each other: the machine crawls or locks up. 6.12 waits in
        the interrupt that sends the kicks. 7.3 waits before the next switch, with interrupts on and so that no two
        CPUs wait for each other for ever; the time is lost all the same.
        """,
    fix="Leave `SCX_KICK_WAIT` out; `SCX_KICK_PREEMPT` alone does not wait.",
    source="Linux kernel/sched/ext.c, kick_cpus_irq_workfn() (v6.12), kick_sync_wait_bal_cb() (v7.3); livelock on 6.18",
    bad=_kick("scx_bpf_kick_cpu(i, SCX_KICK_PREEMPT | SCX_KICK_WAIT)"),
    good=_kick("scx_bpf_kick_cpu(i, SCX_KICK_PREEMPT)"),
)
KICK_FLAGS = rule(
    "KICK-FLAGS",
    ERROR,
    "SCX_KICK_IDLE together with PREEMPT or WAIT",
    why="""
        An idle CPU runs nothing that could be preempted or waited for; the kernel ends the scheduler: "PREEMPT/WAIT
        cannot be used with SCX_KICK_IDLE".
        """,
    fix="`SCX_KICK_IDLE` to wake a CPU only if it idles, `SCX_KICK_PREEMPT` to make it reschedule in any case.",
    source="Linux kernel/sched/ext.c, scx_bpf_kick_cpu() (v6.12 and later)",
    bad=_kick("scx_bpf_kick_cpu(i, SCX_KICK_IDLE | SCX_KICK_PREEMPT)"),
    good=_kick("scx_bpf_kick_cpu(i, SCX_KICK_IDLE)"),
)


def _insert(slice_: str, after: str = "") -> str:
    return f"""
        void BPF_STRUCT_OPS(run_enqueue, struct task_struct *p, u64 enq_flags)
        {{
            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, {slice_}, enq_flags);{after}
        }}
"""


KICK_LOCAL = rule(
    "KICK-AFTER-LOCAL",
    WARNING,
    "A kick after an insert into a local queue",
    why=(
        "An insert into `SCX_DSQ_LOCAL` or `SCX_DSQ_LOCAL_ON` already makes that CPU look. The kick is a second "
        "interrupt for nothing."
    ),
    fix="Kick only after an insert into a queue of the policy's own.",
    source="Linux kernel/sched/ext.c, [scx_]dispatch_enqueue(): resched_curr() (v6.12 and later)",
    bad=_insert("SCX_SLICE_DFL", "\n            scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);"),
    good=_insert("SCX_SLICE_DFL"),
)
ZERO = rule(
    "SLICE-ZERO",
    WARNING,
    "A task is inserted with a slice of 0",
    why=(
        "0 does not mean the default: the task keeps what is left of its last slice, or gets 1 ns, and is switched "
        "out at the next tick."
    ),
    fix="`SCX_SLICE_DFL` for 20 ms, or a length of your own.",
    source="Linux kernel/sched/ext.c, scx_bpf_dsq_insert() (v6.12): p->scx.slice ?: 1; apply_slice_vtime() (v7.3)",
    bad=_insert("0"),
    good=_insert("SCX_SLICE_DFL"),
)
INF = rule(
    "SLICE-INF",
    ERROR,
    "Tasks may run for ever and nothing stops them",
    why="""
        A task with `SCX_SLICE_INF` runs until it sleeps. A policy that gives that to everybody has to preempt by a
        timer, a tick or a kick; this one does not, so one busy loop per CPU starves all others until the watchdog
        ends the scheduler.
        """,
    fix=(
        "Give a finite slice, or preempt: `scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT)` from a timer, `p->scx.slice = "
        "0` in `ops.tick()`."
    ),
    source="Linux kernel/sched/ext.c, update_curr_scx(): an infinite slice is not charged (v6.12 and later)",
    bad=_insert("SCX_SLICE_INF"),
    good=_insert("SCX_SLICE_DFL"),
)
LONG = rule(
    "SLICE-LONG",
    ERROR,
    "A slice is longer than others can wait",
    why=(
        "While one task uses up its slice, the others behind it wait. Over 200 ms is felt by everybody (a "
        "warning). With slices of half the watchdog's timeout the third task of a CPU waits that timeout, and "
        "that ends the scheduler (an error)."
    ),
    fix="Milliseconds: 5 to 20 ms is usual. Slices are in nanoseconds.",
    source="Linux kernel/sched/ext.c, check_rq_for_timeouts() (v6.12 and later)",
    bad=_insert("60ULL * 1000 * 1000 * 1000"),
    good=_insert("5ULL * 1000 * 1000"),
)
