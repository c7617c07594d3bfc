"""The rules on what becomes of a task, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

ENQUEUE_DROPS = rule(
    "ENQUEUE-DROPS",
    ERROR,
    "A path through enqueue leaves the task nowhere",
    why="""
        A task that `ops.enqueue()` neither inserts into a dispatch queue nor keeps in a structure of the policy is
        known to nobody: the kernel has handed it over and never asks again. It stays runnable and never runs, until
        the watchdog ejects the scheduler with "runnable task stall" after `timeout_ms`. A direct insert in
        `ops.select_cpu()` does not help: `ops.enqueue()` is called exactly when there was none, and for tasks bound
        to one CPU `ops.select_cpu()` is not called at all.
        """,
    fix="""
        Insert on every path. For a task that deserves nothing special use the policy's usual queue, or
        `SCX_DSQ_GLOBAL`, which every CPU looks into by itself. With `SCX_OPS_ENQ_LAST` a task that comes with
        `SCX_ENQ_LAST` must be inserted too: `SCX_DSQ_LOCAL` lets it go on.
        """,
    source="Linux kernel/sched/ext.c, [scx_]do_enqueue_task() and check_rq_for_timeouts() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(drop_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (enq_flags & SCX_ENQ_LAST)
                return;
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(keep_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (enq_flags & SCX_ENQ_LAST) {
                scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
                return;
            }
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
)

PUSH_UNCHECKED = rule(
    "PUSH-UNCHECKED",
    ERROR,
    "A task is pushed into a bounded map and nobody looks whether there was room",
    why="""
        `bpf_map_push_elem()` returns -E2BIG when the queue holds `max_entries` elements. If that is ignored, the
        next task is in no queue and never runs; it shows only when more tasks are runnable than the map has room
        for. Without `BPF_EXIST` nothing is overwritten; with it the oldest task is thrown out instead.
        """,
    fix="""
        Test the result and insert the task into a dispatch queue when the push failed:
        `if (bpf_map_push_elem(&queue, &pid, 0)) scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, …);`
        """,
    source="Linux kernel/bpf/queue_stack_maps.c, __queue_map_push_elem() (v4.20 and later)",
    bad="""
        struct {
            __uint(type, BPF_MAP_TYPE_QUEUE);
            __uint(max_entries, 4096);
            __type(value, s32);
        } waiting SEC(".maps");

        void BPF_STRUCT_OPS(push_enqueue, struct task_struct *p, u64 enq_flags)
        {
            s32 pid = p->pid;

            bpf_map_push_elem(&waiting, &pid, 0);
        }

        void BPF_STRUCT_OPS(push_dispatch, s32 cpu, struct task_struct *prev)
        {
            s32 pid;

            bpf_map_pop_elem(&waiting, &pid);
        }
        """,
    good="""
        struct {
            __uint(type, BPF_MAP_TYPE_QUEUE);
            __uint(max_entries, 4096);
            __type(value, s32);
        } waiting SEC(".maps");

        void BPF_STRUCT_OPS(push_enqueue, struct task_struct *p, u64 enq_flags)
        {
            s32 pid = p->pid;

            if (bpf_map_push_elem(&waiting, &pid, 0))
                scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(push_dispatch, s32 cpu, struct task_struct *prev)
        {
            s32 pid;

            bpf_map_pop_elem(&waiting, &pid);
        }
        """,
)

INSERT_TWICE = rule(
    "INSERT-TWICE",
    ERROR,
    "One path inserts a task twice",
    why="""
        From `ops.select_cpu()` and `ops.enqueue()` the kernel remembers one direct insert per call. A second one
        for the same task ends the scheduler: "already direct-dispatched".
        """,
    fix="Choose the queue first and insert once, or `return` after the first insert.",
    source="Linux kernel/sched/ext.c, mark_direct_dispatch() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(twice_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (p->nr_cpus_allowed == 1)
                scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(once_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (p->nr_cpus_allowed == 1)
                scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
            else
                scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
)
