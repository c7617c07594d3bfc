"""The rules on how a policy behaves over time, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.pages_security import enqueue_with
from schedops.verify.source.report import ERROR, WARNING, rule

PRINTK = rule(
    "HOT-PRINTK",
    ERROR,
    "A hot path prints",
    why=(
        "`bpf_printk()` formats text and writes it into the trace buffer under a lock, for every task and every "
        "switch. It slows the whole machine down and drowns what others trace. It is a warning behind a condition or "
        "in a helper: that may be for finding faults, and off."
    ),
    fix="Count in a variable that user space reads, or print in `ops.init()` and `ops.exit()` only.",
    source="Linux kernel/trace/bpf_trace.c, bpf_trace_printk(): trace_printk_lock",
    bad=enqueue_with('bpf_printk("enqueue %d", p->pid);'),
    good=enqueue_with(),
)
SELF_EXIT = rule(
    "SELF-EXIT",
    WARNING,
    "The policy ends itself",
    why=(
        "After `scx_bpf_exit()` all tasks go back to the default scheduler. No error is printed, the link stays "
        "pinned, and whoever measures afterwards measures another scheduler."
    ),
    fix="`scx_bpf_error()` for what must not happen; otherwise leave the decision to user space.",
    source="Linux kernel/sched/ext.c, scx_bpf_exit_bstr(), SCX_EXIT_UNREG_BPF (v6.12 and later)",
    bad=enqueue_with("if (p->scx.weight > 9000)", '    scx_bpf_exit(0, "enough");'),
    good=enqueue_with(),
)
TIME_BOMB = rule(
    "TIME-BOMB",
    WARNING,
    "Behaviour changes after a count or a time",
    why="""
        A condition on how many tasks have come so far, or on how long ago the policy started, makes it another policy
        later on. A short test sees only the first. There are few honest reasons for that in a scheduler.
        """,
    fix="Decide on the state of the task or of the queues. A counter for sampling is reset when it has fired.",
    source="a policy that drops tasks only after 20,000 enqueues passes a test that is shorter than that",
    bad="""
        static u64 nr;
        """
    + enqueue_with("if (__sync_fetch_and_add(&nr, 1) > 20000)", "    enq_flags |= SCX_ENQ_PREEMPT;").lstrip("\n"),
    good=enqueue_with("if (p->scx.weight > 100)", "    enq_flags |= SCX_ENQ_PREEMPT;"),
)
_CHARGE = """
        void BPF_STRUCT_OPS(fair_stopping, struct task_struct *p, bool runnable)
        {
            p->scx.dsq_vtime += %s;
        }
"""
NO_WEIGHT = rule(
    "FAIR-NO-WEIGHT",
    ERROR,
    "The policy declares weights and reads none",
    why=(
        "Nothing in the policy reads `p->scx.weight`, `static_prio` or a cgroup's weight, so nice values cannot "
        "have an effect: a task at nice 19 gets as much as one at nice 0."
    ),
    fix="Charge `ran * 100 / p->scx.weight` to the virtual time, or do not declare `weights`.",
    source="Linux include/linux/sched/ext.h, struct sched_ext_entity.weight: 1 to 10000 around 100 (v6.12 and later)",
    bad=_CHARGE % "scx_bpf_now() - p->se.exec_start",
    good=_CHARGE % "(scx_bpf_now() - p->se.exec_start) * 100 / p->scx.weight",
)


def _vtime_policy(head: str, body: str) -> str:
    return f"""
        #define SHARED_DSQ 1
        static u64 vtime_now;

        void BPF_STRUCT_OPS(fair_enqueue, struct task_struct *p, u64 enq_flags)
        {{
            u64 vtime = p->scx.dsq_vtime;

            if ((s64)(vtime - (vtime_now - SCX_SLICE_DFL)) < 0)
                vtime = vtime_now - SCX_SLICE_DFL;
            scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, vtime, enq_flags);
        }}

        void BPF_STRUCT_OPS(fair_running, struct task_struct *p)
        {{
            if ((s64)(p->scx.dsq_vtime - vtime_now) > 0)
                vtime_now = p->scx.dsq_vtime;
        }}

        void BPF_STRUCT_OPS(fair_stopping, struct task_struct *p, bool runnable)
        {{
            p->scx.dsq_vtime += (SCX_SLICE_DFL - p->scx.slice) * 100 / p->scx.weight;
        }}

        void BPF_STRUCT_OPS(fair_dispatch, s32 cpu, struct task_struct *prev)
        {{{head}
            {body}
        }}
"""


PREV_IGNORED = rule(
    "PREV-IGNORED",
    ERROR,
    "A fair policy takes the next task without weighing the one that ran",
    why="""
        The task that comes off the CPU is in no queue while `ops.dispatch()` runs. When that moves the head of the
        queue in without comparing it with `prev`, the head always wins: two tasks on one CPU take turns, whatever
        their weights are. With more tasks than that the weights do come out right.
        """,
    fix=(
        "When `prev` still wants to run (`prev->scx.flags & SCX_TASK_QUEUED`) and its virtual time is ahead of the "
        "queue's head, give it a new slice and return."
    ),
    source=(
        "seen on 6.18 with two tasks of different weight bound to one CPU; Linux kernel/sched/ext.c, balance_one() "
        "or scx_dispatch_sched()"
    ),
    bad=_vtime_policy("", "scx_bpf_dsq_move_to_local(SHARED_DSQ);"),
    good=_vtime_policy(
        """
            if (prev && (prev->scx.flags & SCX_TASK_QUEUED) && !scx_bpf_dsq_nr_queued(SHARED_DSQ)) {
                prev->scx.slice = SCX_SLICE_DFL;
                return;
            }""",
        "scx_bpf_dsq_move_to_local(SHARED_DSQ);",
    ),
)
_PRIO = """
        #define HIGH_DSQ 1
        #define LOW_DSQ 2

        void BPF_STRUCT_OPS(prio_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, p->scx.weight > 100 ? HIGH_DSQ : LOW_DSQ, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(prio_dispatch, s32 cpu, struct task_struct *prev)
        {
            %sif (!scx_bpf_dsq_move_to_local(HIGH_DSQ))
                scx_bpf_dsq_move_to_local(LOW_DSQ);
        }
"""
STRICT = rule(
    "STRICT-PRIO",
    WARNING,
    "One queue is always served before another",
    why=(
        "While the first queue has tasks the second is not looked at: a few busy tasks in the first starve all of "
        "the second, up to the watchdog's timeout."
    ),
    fix="Serve the lower queue now and then: every n-th time, or when its head has waited too long.",
    source='Linux Documentation/scheduler/sched-ext.rst; "runnable task stall" is what the watchdog reports',
    bad=_PRIO % "",
    good="        static u64 turn;\n"
    + _PRIO % "if (turn++ % 8 == 0 && scx_bpf_dsq_move_to_local(LOW_DSQ))\n                return;\n            ",
)
WRITE_ONLY = rule(
    "WRITE-ONLY-MAP",
    WARNING,
    "A queue or table is filled and never read",
    why=(
        "What is pushed into a queue that nothing in the policy pops is only of use to a user-space part. Without "
        "one it fills up."
    ),
    fix="Read it, or remove it.",
    source="Linux kernel/bpf/queue_stack_maps.c: -E2BIG when full",
    bad="""
        struct {
            __uint(type, BPF_MAP_TYPE_QUEUE);
            __uint(max_entries, 4096);
            __type(value, s32);
        } seen SEC(".maps");

        void BPF_STRUCT_OPS(log_running, struct task_struct *p)
        {
            s32 pid = p->pid;

            bpf_map_push_elem(&seen, &pid, BPF_EXIST);
        }
        """,
    good="""
        static u64 nr_running;

        void BPF_STRUCT_OPS(log_running, struct task_struct *p)
        {
            __sync_fetch_and_add(&nr_running, 1);
        }
        """,
)
DIVISION = rule(
    "SIGNED-DIVISION",
    ERROR,
    "A division of signed numbers",
    why="""
        BPF has signed division and remainder from its fourth instruction set only (kernel 6.6). Objects are built for
        the third, which every kernel with sched_ext runs, so clang refuses: "unsupported signed division".
        """,
    fix="Make it unsigned (`(u32)n / 4`), shift, or treat the sign apart.",
    source="LLVM lib/Target/BPF/BPFISelDAGToDAG.cpp; Linux Documentation/bpf/standardization/instruction-set.rst",
    bad="""
        void BPF_STRUCT_OPS(nice_enqueue, struct task_struct *p, u64 enq_flags)
        {
            s32 nice = p->static_prio - 120;

            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL - nice / 3 * 100000, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(nice_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u32 prio = p->static_prio - 100;

            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL - prio / 3 * 100000, enq_flags);
        }
        """,
)
