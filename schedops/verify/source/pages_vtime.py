"""The rule on virtual time that has no limit, as its page says it."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

_BODY = """
        #define SHARED_DSQ 1
        static u64 vtime_now;

        void BPF_STRUCT_OPS(credit_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 vtime = p->scx.dsq_vtime;

%s            scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_DFL, vtime, enq_flags);
        }

        void BPF_STRUCT_OPS(credit_running, struct task_struct *p)
        {
            if ((s64)(p->scx.dsq_vtime - vtime_now) > 0)
                vtime_now = p->scx.dsq_vtime;
        }

        void BPF_STRUCT_OPS(credit_stopping, struct task_struct *p, bool runnable)
        {
            p->scx.dsq_vtime += (SCX_SLICE_DFL - p->scx.slice) * 100 / p->scx.weight;
        }

        void BPF_STRUCT_OPS(credit_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
"""
_CLAMP = """\
            if ((s64)(vtime - (vtime_now - SCX_SLICE_DFL)) < 0)
                vtime = vtime_now - SCX_SLICE_DFL;
"""
NO_CLAMP = rule(
    "VTIME-NO-CLAMP",
    ERROR,
    "Virtual time only grows by what a task ran, so who slept may run as long as it slept",
    why="""
        A task's virtual time stands still while it sleeps, and that of the others goes on. Nothing here brings it up
        again: not when it wakes, and not when it is inserted. A task that slept for a minute is then first in the
        queue for a minute of CPU time, and all others of the queue wait. A test in which nobody sleeps long does not
        show it.
        """,
    fix="When a task is inserted let its key be at least the queue's virtual time less one slice.",
    source="Linux tools/sched_ext/scx_simple.bpf.c, simple_enqueue(): limits what an idling task can accumulate "
    "(v6.12 and later)",
    bad=_BODY % "",
    good=_BODY % _CLAMP,
)
