"""The rules on where the kernel allows a call, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

CONTEXT = rule(
    "KFUNC-CONTEXT",
    ERROR,
    "A kernel function is called from a callback that may not call it",
    why="""
        Inserting is for `ops.select_cpu()`, `ops.enqueue()` and `ops.dispatch()`; taking from a queue
        (`scx_bpf_dsq_move_to_local()`) for `ops.dispatch()` only; `scx_bpf_dsq_move()` for `ops.dispatch()` and for
        code that holds no run queue lock; creating a queue for sleepable callbacks.
        `scx_bpf_select_cpu_dfl()` is for `ops.select_cpu()`, in newer kernels also for `ops.enqueue()` and code
        without the lock. Up to 7.0 the kernel ends the scheduler when the call is reached ("kfunc with mask 0x..
        called from an operation only allowing 0x.."), from 7.1 the verifier refuses the program.
        """,
    fix=(
        "Move the call into a callback that may make it. What `ops.enqueue()` wants to start, `ops.dispatch()` of "
        "an idle CPU does: `scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE)`."
    ),
    source="Linux kernel/sched/ext.c, scx_kf_allowed() (v6.12 to v7.0); scx_kfunc_context_filter() (v7.1)",
    bad="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(pull_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
    good="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(pull_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(pull_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
)

_MIXED_TAIL = """
        void BPF_STRUCT_OPS(mix_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
"""
MIXED = rule(
    "DSQ-MIXED",
    ERROR,
    "One queue gets tasks in order of arrival and in order of virtual time",
    why="""
        A queue is a list or a tree ordered by `dsq_vtime`, never both. The first insert of one kind while a task of
        the other kind waits ends the scheduler: "DSQ ID 0x… already had FIFO-enqueued tasks" or "… PRIQ-enqueued".
        It needs two waiting tasks, so it does not show in an idle guest.
        """,
    fix=(
        "Use `scx_bpf_dsq_insert_vtime()` for all tasks of the queue (with the current virtual time for those that "
        "should go first), or two queues."
    ),
    source="Linux kernel/sched/ext.c, [scx_]dispatch_enqueue() (v6.12 and later)",
    bad="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(mix_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (p->flags & PF_KTHREAD)
                scx_bpf_dsq_insert(p, SHARED_DSQ, SCX_SLICE_DFL, enq_flags);
            else
                scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, p->scx.dsq_vtime, enq_flags);
        }
"""
    + _MIXED_TAIL,
    good="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(mix_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 vtime = p->flags & PF_KTHREAD ? 0 : p->scx.dsq_vtime;

            scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, vtime, enq_flags);
        }
"""
    + _MIXED_TAIL,
)

VTIME_BUILTIN = rule(
    "DSQ-VTIME-BUILTIN",
    ERROR,
    "A task is inserted by virtual time into one of the kernel's own queues",
    why="""
        `SCX_DSQ_LOCAL`, `SCX_DSQ_LOCAL_ON` and `SCX_DSQ_GLOBAL` are lists. An insert by virtual time ends the
        scheduler: "cannot use vtime ordering for built-in DSQs".
        """,
    fix="Use `scx_bpf_dsq_insert()` for these, or a queue of your own.",
    source="Linux kernel/sched/ext.c, [scx_]dispatch_enqueue() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(vt_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert_vtime(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, p->scx.dsq_vtime, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(vt_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
)

BUILTIN_MOVE = rule(
    "DSQ-BUILTIN-MOVE",
    ERROR,
    "A built-in queue is used as if it were the policy's own",
    why="""
        The kernel drains local queues and `SCX_DSQ_GLOBAL` by itself. `scx_bpf_dsq_move_to_local()` of one of them
        ends the scheduler ("invalid DSQ ID"), `scx_bpf_create_dsq()` returns -EINVAL, an iterator is empty, and
        `scx_bpf_dsq_nr_queued(SCX_DSQ_GLOBAL)` is -ENOENT (of a local queue it is the number of its tasks).
        """,
    fix="Leave the call out; to hold tasks back, create a queue with an id of your own.",
    source=("Linux kernel/sched/ext.c, scx_bpf_dsq_move_to_local(), scx_bpf_dsq_nr_queued(), scx_bpf_create_dsq()"),
    bad="""
        void BPF_STRUCT_OPS(own_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SCX_DSQ_GLOBAL);
        }
        """,
    good="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(own_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
)

DESCENDING = rule(
    "VTIME-DESCENDING",
    ERROR,
    "The newest task goes first, so the oldest may never run",
    why="""
        A queue ordered by virtual time serves the smallest key first. With a key that falls with every insert the
        queue is a stack: while tasks keep coming, those at the bottom wait without bound. The watchdog sees it only
        after `timeout_ms`.
        """,
    fix="Use a key that grows: a counter that counts up, the time of insertion, or the task's virtual time.",
    source="Linux kernel/sched/ext.c, scx_dsq_priq_less(): the smallest dsq_vtime first (v6.12 and later)",
    bad="""
        #define SHARED_DSQ 1
        static u64 seq = 1ULL << 62;

        void BPF_STRUCT_OPS(lifo_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 key = __sync_fetch_and_sub(&seq, 1);

            scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, key, enq_flags);
        }

        void BPF_STRUCT_OPS(lifo_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
    good="""
        #define SHARED_DSQ 1
        static u64 seq;

        void BPF_STRUCT_OPS(fifo_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 key = __sync_fetch_and_add(&seq, 1);

            scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, key, enq_flags);
        }

        void BPF_STRUCT_OPS(fifo_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
)
