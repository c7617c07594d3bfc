"""The rules on struct sched_ext_ops, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, NOTE, WARNING, rule


def _table(*lines: str) -> str:
    body = "".join(f"        \t{line},\n" for line in lines)
    return f"""
        SEC(".struct_ops.link")
        struct sched_ext_ops example_ops = {{
{body}        }};
"""


_ENQUEUE = """
        void BPF_STRUCT_OPS(example_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
"""
_EXIT = """
        void BPF_STRUCT_OPS(example_exit, struct scx_exit_info *ei)
        {
            UEI_RECORD(uei, ei);
        }
"""
_NAME, _TIMEOUT = '.name = "example"', ".timeout_ms = 5000"
_EXT = "Linux kernel/sched/ext.c"

TIMEOUT = rule(
    "TIMEOUT-RANGE",
    ERROR,
    "timeout_ms is longer than the kernel allows",
    why=(
        "The watchdog waits 30 s at most (`SCX_WATCHDOG_MAX_TIMEOUT`). A larger `timeout_ms` makes registration "
        "fail with -E2BIG, without a message."
    ),
    fix="Set `.timeout_ms` to 30000 or less; 3000 to 10000 is usual.",
    source=f"{_EXT}, bpf_scx_init_member() (v6.12 and later)",
    bad=_table(".timeout_ms = 60000", _NAME),
    good=_table(_TIMEOUT, _NAME),
)
NO_TIMEOUT = rule(
    "NO-TIMEOUT",
    WARNING,
    "No timeout_ms: a stalled task waits 30 s for the watchdog",
    why=(
        "Without `timeout_ms` the watchdog ends a scheduler only after a runnable task has waited for 30 s. Until "
        "then whatever needs that task hangs."
    ),
    fix="`.timeout_ms = 5000`: longer than any wait that the policy means to cause, as short as users can bear.",
    source=f"{_EXT}, scx_enable(): SCX_WATCHDOG_MAX_TIMEOUT unless set (v6.12 and later)",
    bad=_table(_NAME),
    good=_table(_TIMEOUT, _NAME),
)
NAME = rule(
    "NAME",
    ERROR,
    "ops.name is missing or not an identifier",
    why=(
        "The kernel accepts letters, digits, `_` and `.` in `ops.name`, up to 127 of them. Anything else is "
        "refused with -EINVAL and no message; an empty name too."
    ),
    fix="A short identifier: it is what `/sys/kernel/sched_ext/root/ops` shows.",
    source=f"{_EXT}, bpf_scx_init_member(), bpf_obj_name_cpy() (v6.12 and later)",
    bad=_table(_TIMEOUT, '.name = "my scheduler"'),
    good=_table(_TIMEOUT, '.name = "my_scheduler"'),
)
FLAGS = rule(
    "FLAGS",
    ERROR,
    "ops.flags has bits that no kernel defines",
    why="An unknown bit in `ops.flags` makes registration fail with -EINVAL, without a message.",
    fix="Use the `SCX_OPS_*` enumerators only.",
    source=f"{_EXT}, bpf_scx_init_member(): flags & ~SCX_OPS_ALL_FLAGS; enum scx_ops_flags of v6.12 to v7.3",
    bad=_table(_TIMEOUT, _NAME, ".flags = 1ULL << 20"),
    good=_table(_TIMEOUT, _NAME, ".flags = SCX_OPS_ENQ_EXITING"),
)
ENQ_LAST = rule(
    "ENQ-LAST",
    ERROR,
    "SCX_OPS_ENQ_LAST without ops.enqueue()",
    why=(
        "The flag asks for the last runnable task of a CPU to be handed to `ops.enqueue()`. Without that callback "
        "the kernel refuses the scheduler with -EINVAL while attaching reports success."
    ),
    fix="Drop the flag (the kernel then lets the last task go on), or implement `ops.enqueue()`.",
    source=f"{_EXT}, validate_ops() (v6.12 and later)",
    bad=_table(_TIMEOUT, _NAME, ".flags = SCX_OPS_ENQ_LAST"),
    good=_ENQUEUE + _table(".enqueue = (void *)example_enqueue", _TIMEOUT, _NAME, ".flags = SCX_OPS_ENQ_LAST"),
)
PARTIAL = rule(
    "PARTIAL",
    ERROR,
    "SCX_OPS_SWITCH_PARTIAL, although the policy does not declare it",
    why="""
        With this flag only tasks of class SCHED_EXT are scheduled by the policy; all others stay with the default
        scheduler. `state` says "enabled" and every load test passes, because the policy schedules nothing.
        """,
    fix="Drop the flag, or declare `partial` in the policy's `capabilities` (`--declare partial`) when it is meant.",
    source=f"{_EXT}, task_should_scx(), scx_switched_all() (v6.12 and later)",
    bad=_table(_TIMEOUT, _NAME, ".flags = SCX_OPS_SWITCH_PARTIAL"),
    good=_table(_TIMEOUT, _NAME),
)
EXIT_INFO = rule(
    "EXIT-INFO",
    NOTE,
    "No ops.exit(): nobody can ask the policy why it ended",
    why=(
        "The reason for an ejection is given to `ops.exit()` once, and to the kernel log. Without the callback a "
        "loader cannot tell a stall from a hotplug restart or from its own detaching."
    ),
    fix="Record `ei->kind`, `ei->reason` and `ei->msg` in a variable of the object: `UEI_RECORD()` in scx's headers.",
    source="Linux include/linux/sched/ext.h, struct scx_exit_info (v6.12 and later)",
    bad=_table(_TIMEOUT, _NAME),
    good=_EXIT + _table(".exit = (void *)example_exit", _TIMEOUT, _NAME),
)
SLEEPABLE_OP = rule(
    "SLEEPABLE-OP",
    ERROR,
    "A callback that must not sleep is a sleepable program",
    why=(
        "Only `init`, `exit`, `init_task`, `cgroup_init`, `cgroup_exit`, `cgroup_prep_move` and `cpu_online`/"
        "`cpu_offline` may be in `struct_ops.s`, in 7.3 also `cgroup_set_bandwidth`, `init_cids` and `sub_attach`/"
        "`sub_detach`. For all others the kernel refuses the program with -EINVAL: most run under a run queue's lock."
    ),
    fix='`BPF_STRUCT_OPS()` or `SEC("struct_ops/…")` for this one.',
    source=f"{_EXT}, bpf_scx_check_member() (v6.12 and later)",
    bad="""
        void BPF_STRUCT_OPS_SLEEPABLE(slow_enqueue, struct task_struct *p, u64 enq_flags)
        {
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """,
    good=_ENQUEUE,
)
