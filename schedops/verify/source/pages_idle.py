"""The rule on idle tracking that is switched off and used, as its page says it."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule

_BODY = """
        char _license[] SEC("license") = "GPL";

        s32 BPF_STRUCT_OPS(quiet_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
        {
            bool idle = false;

            return scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
        }

        void BPF_STRUCT_OPS(quiet_update_idle, s32 cpu, bool idle)
        {
        }

        SEC(".struct_ops.link")
        struct sched_ext_ops quiet_ops = {
            .select_cpu = (void *)quiet_select_cpu,
            .update_idle = (void *)quiet_update_idle,%s
            .timeout_ms = 5000,
            .name = "quiet",
        };
"""
IDLE_OFF = rule(
    "IDLE-DISABLED",
    ERROR,
    "The kernel's idle tracking is asked, and ops.update_idle() has switched it off",
    why="""
        A policy with `ops.update_idle` keeps track of idle CPUs itself, unless `SCX_OPS_KEEP_BUILTIN_IDLE` is set. The
        kernel's functions that pick or test idle CPUs then end the scheduler with "built-in idle tracking is disabled",
        the first time that one is called.
        """,
    fix="Set `.flags = SCX_OPS_KEEP_BUILTIN_IDLE`, leave `ops.update_idle` out, or ask the policy's own record.",
    source="Linux kernel/sched/ext.c, scx_bpf_select_cpu_dfl() (v6.12); kernel/sched/ext/idle.c, "
    "check_builtin_idle_enabled() (v7.3)",
    bad=_BODY % "",
    good=_BODY % "\n            .flags = SCX_OPS_KEEP_BUILTIN_IDLE,",
)
