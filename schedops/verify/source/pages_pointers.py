"""The rules on pointers, references and picks, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

_COUNTS = """
        struct {
            __uint(type, BPF_MAP_TYPE_HASH);
            __uint(max_entries, 4096);
            __type(key, s32);
            __type(value, u64);
        } counts SEC(".maps");
"""
LOOKUP = rule(
    "UNCHECKED-LOOKUP",
    ERROR,
    "The result of a lookup is used without a check for NULL",
    why="""
        A lookup in a map or in a task's storage may find nothing, also with `BPF_LOCAL_STORAGE_GET_F_CREATE` (no
        memory). The verifier follows every path and refuses the program when one of them uses the pointer unchecked:
        `invalid mem access 'map_value_or_null'`. A check in one branch says nothing about the other.
        """,
    fix="`if (!value) return …;` directly after the lookup, or `if (value) value->… = …;`.",
    source="Linux kernel/bpf/verifier.c, check_mem_access(), PTR_MAYBE_NULL (v5.12 and later)",
    bad=_COUNTS
    + """
        void BPF_STRUCT_OPS(count_running, struct task_struct *p)
        {
            s32 pid = p->pid;
            u64 *n = bpf_map_lookup_elem(&counts, &pid);

            *n += 1;
        }
        """,
    good=_COUNTS
    + """
        void BPF_STRUCT_OPS(count_running, struct task_struct *p)
        {
            s32 pid = p->pid;
            u64 *n = bpf_map_lookup_elem(&counts, &pid);

            if (n)
                *n += 1;
        }
        """,
)

CHAINED = rule(
    "CHAINED-LOOKUP",
    ERROR,
    "A lookup's result is used in the same expression",
    why=(
        "Between the lookup and the `->` there is no place for the check that the verifier demands: the program is "
        "always refused."
    ),
    fix="Bind the result to a variable, check it, then use it.",
    source="Linux kernel/bpf/verifier.c, check_mem_access(), PTR_MAYBE_NULL (v5.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(on_running, struct task_struct *p)
        {
            ((struct task_ctx *)bpf_task_storage_get(&tasks, p, 0, 0))->started = scx_bpf_now();
        }
        """,
    good="""
        void BPF_STRUCT_OPS(on_running, struct task_struct *p)
        {
            struct task_ctx *t = bpf_task_storage_get(&tasks, p, 0, 0);

            if (t)
                t->started = scx_bpf_now();
        }
        """,
)

UNCHECKED_PTR = rule(
    "UNCHECKED-PTR",
    ERROR,
    "A pointer of the kernel that may be NULL is used without a check",
    why="""
        Kernel functions such as `bpf_task_from_pid()`, `bpf_cgroup_from_id()` and `bpf_cpumask_create()` return NULL
        when there is nothing, and `prev` of `ops.dispatch()` is NULL when the CPU was idle. The verifier refuses a
        program that uses such a pointer, or hands it to a kernel function, before it was compared with NULL:
        `invalid mem access 'trusted_ptr_or_null_'`, `Possibly NULL pointer passed to trusted arg`.
        """,
    fix="Check it on the same path first: `if (!p) return;`, `prev && (prev->scx.flags & SCX_TASK_QUEUED)`.",
    source=(
        "Linux kernel/sched/ext.c, sched_ext_ops__dispatch(prev__nullable) (v6.12 and later); "
        "kernel/bpf/verifier.c, KF_RET_NULL"
    ),
    bad="""
        void BPF_STRUCT_OPS(peek_dispatch, s32 cpu, struct task_struct *prev)
        {
            if (prev->scx.flags & SCX_TASK_QUEUED)
                prev->scx.slice = SCX_SLICE_DFL;
        }
        """,
    good="""
        void BPF_STRUCT_OPS(peek_dispatch, s32 cpu, struct task_struct *prev)
        {
            if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
                prev->scx.slice = SCX_SLICE_DFL;
        }
        """,
)

REF_LEAK = rule(
    "REF-LEAK",
    ERROR,
    "A reference is not given back on every path",
    why="""
        What `scx_bpf_get_online_cpumask()`, `bpf_task_from_pid()`, `bpf_cgroup_from_id()` and their like return has to
        be released on every path, early returns and `continue` included. The verifier refuses the program otherwise:
        `Unreleased reference id=…`. The same holds for `bpf_rcu_read_lock()`, `bpf_spin_lock()` and
        `bpf_preempt_disable()`, which a program must undo before it ends.
        """,
    fix=(
        "Release before every `return`, or take the reference after the early returns; a single exit with `goto "
        "out` keeps it in one place."
    ),
    source="Linux kernel/bpf/verifier.c, check_reference_leak() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(on_dispatch, s32 cpu, struct task_struct *prev)
        {
            const struct cpumask *online = scx_bpf_get_online_cpumask();

            if (!bpf_cpumask_test_cpu(cpu, online))
                return;
            scx_bpf_put_cpumask(online);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(on_dispatch, s32 cpu, struct task_struct *prev)
        {
            const struct cpumask *online = scx_bpf_get_online_cpumask();
            bool here = bpf_cpumask_test_cpu(cpu, online);

            scx_bpf_put_cpumask(online);
            if (!here)
                return;
        }
        """,
)

NEGATIVE = rule(
    "SELECT-CPU-NEG",
    ERROR,
    "The result of a pick that found no CPU is used as one",
    why="""
        `scx_bpf_pick_idle_cpu()` and `scx_bpf_select_cpu_and()` return -EBUSY (-16) when no CPU is idle, which is
        the usual case under load. A negative CPU from `ops.select_cpu()`, in `scx_bpf_kick_cpu()` or in
        `SCX_DSQ_LOCAL_ON | cpu` ends the scheduler: "invalid CPU -16".
        """,
    fix="`if (cpu >= 0) …`, else fall back to `prev_cpu`.",
    source="Linux kernel/sched/ext.c, ops_cpu_valid() or scx_cpu_valid(), select_task_rq_scx() (v6.12 and later)",
    bad="""
        s32 BPF_STRUCT_OPS(pick_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
        {
            return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
        }
        """,
    good="""
        s32 BPF_STRUCT_OPS(pick_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
        {
            s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

            return cpu >= 0 ? cpu : prev_cpu;
        }
        """,
)
