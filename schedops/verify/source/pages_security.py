"""The rules on what has no place in a scheduler, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

_INSERT = "            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);\n"


def enqueue_with(*lines: str) -> str:
    """An ops.enqueue() with some lines before the insert."""
    body = "".join(f"            {line}\n" for line in lines)
    return f"""
        void BPF_STRUCT_OPS(example_enqueue, struct task_struct *p, u64 enq_flags)
        {{
{body}{_INSERT}        }}
"""


_TICK_BAD = """
        void BPF_STRUCT_OPS(reap_tick, struct task_struct *p)
        {
            if (p->se.sum_exec_runtime > 1000000000ULL)
                %s;
        }
"""
_TICK_GOOD = """
        void BPF_STRUCT_OPS(yield_tick, struct task_struct *p)
        {
            if (p->se.sum_exec_runtime > 1000000000ULL)
                p->scx.slice = 0;
        }
"""

HELPER = rule(
    "SEC-HELPER",
    ERROR,
    "A helper is called that reads or harms what is not the scheduler's",
    why="""
        A scheduler orders tasks. Reading their memory (`bpf_probe_read_user()`), writing to it
        (`bpf_probe_write_user()`), sending signals, changing what system calls return or following paths and files
        is what spyware and sabotage do, and nothing that scheduling needs. The kernel allows some of it to any GPL
        program with CAP_BPF and CAP_PERFMON.
        """,
    fix=(
        "Remove it. What a policy may know about a task: its weight, cgroup, CPU time and wake-ups, and hints "
        "given through a map."
    ),
    source="Linux kernel/sched/ext.c, bpf_scx_get_func_proto() (v6.12); bpf_base_func_proto() (v7.3)",
    bad=_TICK_BAD % "bpf_send_signal(9)",
    good=_TICK_GOOD,
)
KFUNC = rule(
    "SEC-KFUNC",
    ERROR,
    "A kernel function is called that has no place in a scheduler",
    why=(
        "Kernel functions for signals, crash dumps, keys, files, the network and tracing are open to some BPF "
        "programs. None of them orders tasks; `crash_kexec()` reboots the machine."
    ),
    fix="Remove it. Allowed are those of sched_ext, cpumasks, RCU, iterators, tasks, cgroups and dynptrs.",
    source="crash_kexec(): called on 6.18, refused on 7.3; Linux kernel/bpf/helpers.c, generic_btf_ids",
    bad=_TICK_BAD % "bpf_send_signal_task(p, 9, PIDTYPE_PID, 0)",
    good=_TICK_GOOD,
)
EXTRA_PROG = rule(
    "OBJ-EXTRA-PROG",
    ERROR,
    "The object brings a program that is not part of the scheduler",
    why="""
        A tracer, kprobe, perf event or network program in the same object is loaded with the scheduler, with all the
        rights of its loader. A loader that attaches everything attaches it too. Some schedulers need one (`scx_pair` of
        the kernel tree watches `sched_switch`, since `ops.cpu_release()` is going away): then a person has to review
        it, because no stage here judges what it reads and does.
        """,
    fix="Ship it as a tool of its own, or observe through the scheduler's callbacks.",
    source="libbpf src/libbpf.c, bpf_object__attach_skeleton(): attaches every program that auto-attaches",
    bad="""
        SEC("tp_btf/sys_enter")
        int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
        {
            return 0;
        }
        """,
    good=enqueue_with(),
)
LICENCE = rule(
    "OBJ-LICENCE",
    ERROR,
    "The object's licence is not compatible with the GPL",
    why=(
        "The helpers and kernel functions of a scheduler are for GPL-compatible programs; the verifier refuses a "
        "`struct_ops` program with another licence."
    ),
    fix='`char _license[] SEC("license") = "GPL";`',
    source=(
        "Linux include/linux/license.h, license_is_gpl_compatible(); kernel/bpf/verifier.c, check_struct_ops_btf_id()"
    ),
    bad='char _license[] SEC("license") = "Proprietary";',
    good='char _license[] SEC("license") = "GPL";',
)
LABEL_LEAK = rule(
    "LABEL-LEAK",
    ERROR,
    "A decision is made on a task's name, number, path or user",
    why="""
        A name, a pid or a uid says who a task is and not what it needs. A policy that was written by looking at a
        benchmark can win it by recognising its processes; elsewhere the same names mean something else, and anybody
        can take a favoured name. In a policy by an agent this is an error, in one by a person a warning.
        """,
    fix=(
        "Decide on what is measured: CPU time used, wake-ups, weight, cgroup; or on a hint that the user gives for "
        "a task."
    ),
    source="gaming seen in generated schedulers: a comparison of p->comm with the benchmark's name",
    bad=enqueue_with("if (p->comm[0] == 'm' && p->comm[1] == 'a')", "    enq_flags |= SCX_ENQ_PREEMPT;"),
    good=enqueue_with("if (p->scx.weight > 100)", "    enq_flags |= SCX_ENQ_PREEMPT;"),
)
