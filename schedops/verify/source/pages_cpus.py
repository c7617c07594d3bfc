"""The rules on CPUs, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, WARNING, rule

LOCAL_ON = rule(
    "LOCAL-ON-UNCHECKED",
    ERROR,
    "A task is sent to a CPU that nobody checked",
    why="""
        `SCX_DSQ_LOCAL_ON | cpu` with a CPU that does not exist ends the scheduler ("invalid CPU"), and so does one
        that the task may not use: a task bound to CPU 1 that is sent to CPU 0. A CPU computed from a pid, a hash or
        a counter is sooner or later one of these.
        """,
    fix=(
        "Check `bpf_cpumask_test_cpu(cpu, p->cpus_ptr)` and fall back to `scx_bpf_task_cpu(p)`, or pick from the "
        "mask: `scx_bpf_pick_any_cpu(p->cpus_ptr, 0)`."
    ),
    source="Linux kernel/sched/ext.c, find_dsq_for_dispatch(), task_can_run_on_remote_rq() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(hash_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 cpu = (u32)p->pid & 63;

            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(hash_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u64 cpu = (u32)p->pid & 63;

            if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
                cpu = scx_bpf_task_cpu(p);
            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
        }
        """,
)
_SPREAD = """
        static u32 nr_cpus = 1;

        void BPF_STRUCT_OPS(spread_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(cpu);
        }

        s32 BPF_STRUCT_OPS_SLEEPABLE(spread_init)
        {
            u32 i;

            nr_cpus = scx_bpf_nr_cpu_ids();
            bpf_for(i, 0, nr_cpus)
                if (scx_bpf_create_dsq(i, -1))
                    return -ENOMEM;
            return 0;
        }
"""
AFFINITY = rule(
    "AFFINITY-IGNORED",
    ERROR,
    "A CPU's queue is chosen without asking where the task may run",
    why="""
        Every CPU takes from its own queue only, and the queue is computed without a look at `p->cpus_ptr`. A task
        bound to other CPUs is passed over by the one CPU that looks into its queue, and stalls. Every per-CPU kernel
        thread is such a task.
        """,
    fix="Check `bpf_cpumask_test_cpu(cpu, p->cpus_ptr)` before choosing, or use the queue of `scx_bpf_task_cpu(p)`.",
    source="Linux kernel/sched/ext.c, [scx_]consume_dispatch_q(), task_can_run_on_remote_rq() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(spread_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, (u32)p->pid % nr_cpus, SCX_SLICE_DFL, enq_flags);
        }
"""
    + _SPREAD,
    good="""
        void BPF_STRUCT_OPS(spread_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u32 cpu = (u32)p->pid % nr_cpus;

            if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
                cpu = scx_bpf_task_cpu(p);
            scx_bpf_dsq_insert(p, cpu, SCX_SLICE_DFL, enq_flags);
        }
"""
    + _SPREAD,
)
CPU_LITERAL = rule(
    "CPU-LITERAL",
    WARNING,
    "A CPU is named by a number in the code",
    why=(
        "A CPU that is written into the policy may be offline, isolated or not allowed for the task. A scheduler "
        "that needs CPU 0 ends when CPU 0 goes."
    ),
    fix="Derive the CPU from the task (`scx_bpf_task_cpu(p)`), its mask, or the topology read in `ops.init()`.",
    source="scheduling advice of scx's maintainers; Linux kernel/sched/ext.c, handle_hotplug()",
    bad="""
        void BPF_STRUCT_OPS(poke_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
            scx_bpf_kick_cpu(3, SCX_KICK_IDLE);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(poke_enqueue, struct task_struct *p, u64 enq_flags)
        {
            s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
            if (cpu >= 0)
                scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
        }
        """,
)
HOTPLUG = rule(
    "HOTPLUG-EMPTY",
    ERROR,
    "The policy claims to handle CPU hotplug and does nothing about it",
    why="""
        A policy with `ops.cpu_online` or `ops.cpu_offline` is not restarted when a CPU comes or goes: it says that it
        copes. Here these do nothing, while tasks are sent to computed CPUs' local queues, where they wait for a CPU
        that is off. Without the callbacks the kernel ends the policy cleanly and its loader starts it anew.
        """,
    fix="Keep a set of online CPUs in the callbacks and look at it before `SCX_DSQ_LOCAL_ON`, or drop both callbacks.",
    source="Linux kernel/sched/ext.c, handle_hotplug(), SCX_ECODE_ACT_RESTART (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS(pin_cpu_offline, s32 cpu)
        {
        }

        void BPF_STRUCT_OPS(pin_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u32 cpu = (u32)p->pid % 64;

            if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
                cpu = scx_bpf_task_cpu(p);
            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good="""
        void BPF_STRUCT_OPS(pin_enqueue, struct task_struct *p, u64 enq_flags)
        {
            u32 cpu = (u32)p->pid % 64;

            if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
                cpu = scx_bpf_task_cpu(p);
            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
        }
        """,
)
NO_BALANCE = rule(
    "NO-BALANCE",
    ERROR,
    "Tasks never leave the CPU that they are on",
    why="""
        `ops.select_cpu()` always returns `prev_cpu` and `ops.enqueue()` inserts into `SCX_DSQ_LOCAL` only, so nothing
        ever moves a task. Tasks that begin on one CPU, as children of one shell do, share it while others idle.
        """,
    fix="Pick an idle CPU in `ops.select_cpu()` (`scx_bpf_select_cpu_dfl()`), or use a queue that all CPUs take from.",
    source="Linux kernel/sched/ext.c, balance_one() or scx_dispatch_sched(): a CPU takes from its own local queue only",
    bad="""
        s32 BPF_STRUCT_OPS(stay_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
        {
            return prev_cpu;
        }

        void BPF_STRUCT_OPS(stay_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good="""
        s32 BPF_STRUCT_OPS(stay_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
        {
            return prev_cpu;
        }

        void BPF_STRUCT_OPS(stay_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
)
ONE_CPU = rule(
    "NO-ONE-CPU",
    WARNING,
    "Nothing is said about tasks that may use one CPU only",
    why=(
        "`ops.select_cpu()` is skipped for tasks with one allowed CPU and for those whose migration is disabled. A "
        "queue that is chosen without looking at the task's mask is then the wrong one."
    ),
    fix=(
        "In `ops.enqueue()`: `if (p->nr_cpus_allowed == 1)` insert into `SCX_DSQ_LOCAL`, or choose by "
        "`p->cpus_ptr` or `scx_bpf_task_cpu(p)`."
    ),
    source="Linux kernel/sched/core.c, select_task_rq() (v6.12 and later)",
    bad="""
        static u64 next;

        void BPF_STRUCT_OPS(any_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, next++ % 4 + 1, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(any_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(cpu % 4 + 1);
        }
        """,
    good="""
        static u64 next;

        void BPF_STRUCT_OPS(any_enqueue, struct task_struct *p, u64 enq_flags)
        {
            if (p->nr_cpus_allowed == 1)
                scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
            else
                scx_bpf_dsq_insert(p, next++ % 4 + 1, SCX_SLICE_DFL, enq_flags);
        }

        void BPF_STRUCT_OPS(any_dispatch, s32 cpu, struct task_struct *prev)
        {
            scx_bpf_dsq_move_to_local(cpu % 4 + 1);
        }
        """,
)


def _stays(test: str, helper: str = "") -> str:
    return f"""{helper}
        void BPF_STRUCT_OPS(stays_enqueue, struct task_struct *p, u64 enq_flags)
        {{
            if ({test})
                scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
            else
                scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }}
"""


MIGRATION_DISABLED = rule(
    "MIGRATION-DISABLED",
    WARNING,
    "The task that comes off the CPU looks as if its migration were disabled",
    why="""
        The kernel disables migration of the current task while a BPF program runs: always before 6.18, and with
        CONFIG_PREEMPT_RCU since. When a slice ends, `ops.enqueue()` runs in the context of the very task it is about,
        and `p->migration_disabled` is 1 for it. A policy that keeps such tasks on their CPU keeps every task there
        that never sleeps, while other CPUs idle.
        """,
    fix="A value of 1 counts only when the task is not the current one: `bpf_get_current_task_btf() != p`.",
    source='Linux kernel/bpf/trampoline.c, __bpf_prog_enter(); commit 8e4f0b1ebcf2 ("bpf: use '
    'rcu_read_lock_dont_migrate() for trampoline.c")',
    bad=_stays("p->nr_cpus_allowed == 1 || p->migration_disabled"),
    good=_stays(
        "p->nr_cpus_allowed == 1 || stays_here(p)",
        """
        static bool stays_here(struct task_struct *p)
        {
            if (p->migration_disabled == 1)
                return bpf_get_current_task_btf() != p;
            return p->migration_disabled;
        }
""",
    ),
)
