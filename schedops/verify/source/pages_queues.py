"""The rules on dispatch queues, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, WARNING, rule

_TABLE = """

        SEC(".struct_ops.link")
        struct sched_ext_ops example_ops = {
            .enqueue    = (void *)two_enqueue,
            .dispatch    = (void *)two_dispatch,
            .init        = (void *)two_init,
            .timeout_ms    = 5000,
            .name        = "two",
        };
"""
_TWO = """
        #define FAST_DSQ 1
        #define SLOW_DSQ 2

        void BPF_STRUCT_OPS(two_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, p->scx.weight < 100 ? SLOW_DSQ : FAST_DSQ, SCX_SLICE_DFL, enq_flags);
        }
"""
_TURNS = """
        static u64 turn;

        void BPF_STRUCT_OPS(two_dispatch, s32 cpu, struct task_struct *prev)
        {
            if (turn++ % 4 == 0 && scx_bpf_dsq_move_to_local(SLOW_DSQ))
                return;
            if (!scx_bpf_dsq_move_to_local(FAST_DSQ))
                scx_bpf_dsq_move_to_local(SLOW_DSQ);
        }
"""
_INIT = """
        s32 BPF_STRUCT_OPS_SLEEPABLE(two_init)
        {
            s32 err = scx_bpf_create_dsq(FAST_DSQ, -1);

            return err ? err : scx_bpf_create_dsq(SLOW_DSQ, -1);
        }
"""
_GOOD = _TWO + _TURNS + _INIT + _TABLE

NOT_CONSUMED = rule(
    "DSQ-NOT-CONSUMED",
    ERROR,
    "Tasks go into a queue from which nothing takes them",
    why="""
        The kernel drains the local queues and `SCX_DSQ_GLOBAL` by itself, a queue of the policy only when
        `ops.dispatch()` moves tasks out of it. Tasks in a queue that no call names stay there; only those tasks stall
        that were sent there, so a short test without such tasks sees nothing.
        """,
    fix=(
        "Consume every queue that is filled, in `ops.dispatch()`: `scx_bpf_dsq_move_to_local(id)` or "
        "`scx_bpf_dsq_move()`."
    ),
    source="""
        Linux Documentation/scheduler/sched-ext.rst, "Dispatch Queues"; kernel/sched/ext.c, balance_one() (v6.12 and
        later)
        """,
    bad=_TWO
    + """
        void BPF_STRUCT_OPS(two_dispatch, s32 cpu, struct task_struct *prev)
        {
            if (!scx_bpf_dsq_move_to_local(FAST_DSQ))
                scx_bpf_dsq_move_to_local(FAST_DSQ);
        }
"""
    + _INIT,
    good=_GOOD,
)

NO_CONSUMER = rule(
    "DSQ-NO-CONSUMER",
    ERROR,
    "The policy fills queues of its own and takes from none",
    why="""
        Nothing in the policy calls `scx_bpf_dsq_move_to_local()` or `scx_bpf_dsq_move()`: every task that is not
        inserted directly into a local queue or `SCX_DSQ_GLOBAL` stays where it is until the watchdog ends the
        scheduler.
        """,
    fix="Add `ops.dispatch()` with `scx_bpf_dsq_move_to_local()` for each queue, or insert into `SCX_DSQ_GLOBAL`.",
    source='Linux Documentation/scheduler/sched-ext.rst, "Dispatch Queues" (v6.12 and later)',
    bad="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(stuck_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
        }

        s32 BPF_STRUCT_OPS_SLEEPABLE(stuck_init)
        {
            return scx_bpf_create_dsq(SHARED_DSQ, -1);
        }
        """,
    good="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(flow_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(flow_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }

        s32 BPF_STRUCT_OPS_SLEEPABLE(flow_init)
        {
            return scx_bpf_create_dsq(SHARED_DSQ, -1);
        }
        """,
)

NOT_CREATED = rule(
    "DSQ-NOT-CREATED",
    ERROR,
    "A queue is used that was never created",
    why="""
        `scx_bpf_dsq_insert()` into an id that does not exist, and `scx_bpf_dsq_move_to_local()` from one, end the
        scheduler at run time ("invalid DSQ ID" / "non-existent DSQ"), the first time that the path is taken.
        """,
    fix="Create it in `ops.init()` with `scx_bpf_create_dsq(id, -1)` and return the error if that fails.",
    source="Linux kernel/sched/ext.c, find_dsq_for_dispatch(), scx_bpf_dsq_move_to_local() (v6.12 and later)",
    bad=_TWO
    + _TURNS
    + """
        s32 BPF_STRUCT_OPS_SLEEPABLE(two_init)
        {
            return scx_bpf_create_dsq(FAST_DSQ, -1);
        }
"""
    + _TABLE,
    good=_GOOD,
)

DUP_CREATE = rule(
    "DSQ-DUP-CREATE",
    ERROR,
    "The same queue is created twice",
    why=(
        "The second `scx_bpf_create_dsq()` returns -EEXIST. An `ops.init()` that returns it fails, and attaching "
        "reports success all the same."
    ),
    fix="Create every queue once; give each its own id.",
    source="Linux kernel/sched/ext.c, scx_bpf_create_dsq(), rhashtable_lookup_insert_fast() (v6.12 and later)",
    bad=_TWO
    + """
        s32 BPF_STRUCT_OPS_SLEEPABLE(two_init)
        {
            s32 err = scx_bpf_create_dsq(FAST_DSQ, -1);

            return err ? err : scx_bpf_create_dsq(FAST_DSQ, -1);
        }
"""
    + _TURNS,
    good=_GOOD,
)

ID_ZERO = rule(
    "DSQ-ID-ZERO",
    WARNING,
    "A queue has the id 0",
    why="""
        0 is a valid id, and also what every `SCX_DSQ_*` constant reads as that a loader failed to fill in
        (`__SCX_DSQ_LOCAL` and its like in scx's headers live in .rodata). With a queue 0 such a mistake goes
        unnoticed: tasks meant for `SCX_DSQ_LOCAL` land in it.
        """,
    fix="Number queues from 1, above the CPU numbers if there is also a queue per CPU.",
    source="""
        scx scheds/include/scx/enums.autogen.bpf.h: `__SCX_DSQ_LOCAL` and its like are filled in by the loader
        """,
    bad="""
        s32 BPF_STRUCT_OPS_SLEEPABLE(zero_init)
        {
            return scx_bpf_create_dsq(0, -1);
        }
        """,
    good="""
        s32 BPF_STRUCT_OPS_SLEEPABLE(one_init)
        {
            return scx_bpf_create_dsq(1, -1);
        }
        """,
)
