"""What libbpf's and scx's headers define and the kernel numbers, as far as the rules need to know it."""

from __future__ import annotations

# Names beginning with __sched_ are ours: marks that the rules look for.
MACROS = """\
#define BPF_PROG(name, args...) name(args)
#define BPF_STRUCT_OPS(name, args...) SEC("struct_ops/" #name) name(args)
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) name(args)
#define SCX_OPS_DEFINE(name, args...) SEC(".struct_ops.link") struct sched_ext_ops name = { args, };
#define SCX_OPS_CID_DEFINE(name, args...) SEC(".struct_ops.link") struct sched_ext_ops_cid name = { args, };
#define UEI_DEFINE(name) int name
#define UEI_RECORD(name, ei) __sched_uei_record(ei)
#define __uint(name, val) int (*name)[val]
#define __ulong(name, val) int (*name)[val]
#define __type(name, val) val *name
#define __array(name, val) val *name[]
#define bpf_for(i, from, to) for (i = __sched_for((from), (to)); __sched_more(); )
#define bpf_repeat(n) for (__sched_repeat((n)); __sched_more(); )
#define bpf_for_each(kind, cur, args...) for (cur = __sched_for_each_##kind(args); cur; cur = __sched_next())
#define likely(x) (x)
#define unlikely(x) (x)
#define __builtin_expect(x, y) (x)
#define READ_ONCE(x) (x)
#define WRITE_ONCE(x, v) ((x) = (v))
#define cast_mask(x) (x)
#define cast_kern(x)
#define cast_user(x)
#define container_of(ptr, kind, member) ((kind *)(ptr))
#define MEMBER_VPTR(base, member) __sched_checked((base) member)
#define ARRAY_ELEM_PTR(base, i, n) __sched_checked_elem((base), (i), (n))
#define bpf_core_enum_value(kind, name) name
#define bpf_core_enum_value_exists(kind, name) __sched_exists()
#define bpf_core_type_exists(x...) __sched_exists()
#define bpf_core_field_exists(x...) __sched_exists()
#define bpf_ksym_exists(x) __sched_exists()
#define bpf_core_cast(x, kind) ((kind *)(x))
#define BPF_CORE_READ(x, args...) __sched_core_read(x)
#define bpf_obj_new(x...) bpf_obj_new()
#define bpf_percpu_obj_new(x...) bpf_percpu_obj_new()
#define offsetof(x...) __sched_offset()
#define barrier() ((void)0)
#define private(name) SEC(".data." #name)
#define can_loop __sched_can_loop()
#define cond_break do { if (__sched_can_loop()) break; } while (0)
#define __always_inline
#define __noinline
#define __hidden
#define __weak
#define __ksym
#define __kconfig
#define __kptr
#define __kptr_untrusted
#define __percpu_kptr
#define __arena
#define __rcu
#define __maybe_unused
#define __contains(x...)
#define __arg_nonnull
#define __arg_trusted
#define __arg_arena
#define __arg_ctx
#define __percpu
#define __user
#define __inline inline
#define __inline__ inline
#define __volatile__ volatile
#define __const const
#define __extension__
#define NULL 0
#define true 1
#define false 0
"""

_LOCAL_ON = 0xC000000000000000
BUILTIN_BIT = 1 << 63
SLICE_INF = (1 << 64) - 1

# Only what is the same on every kernel from 6.12 to 7.3: enum values that moved would make rules lie.
CONSTANTS = {
    "SCX_DSQ_FLAG_BUILTIN": BUILTIN_BIT,
    "SCX_DSQ_INVALID": BUILTIN_BIT,
    "SCX_DSQ_GLOBAL": BUILTIN_BIT | 1,
    "SCX_DSQ_LOCAL": BUILTIN_BIT | 2,
    "SCX_DSQ_BYPASS": BUILTIN_BIT | 3,
    "SCX_DSQ_LOCAL_ON": _LOCAL_ON,
    "SCX_DSQ_LOCAL_CPU_MASK": 0xFFFFFFFF,
    "SCX_SLICE_DFL": 20_000_000,
    "SCX_SLICE_INF": SLICE_INF,
    "SCX_KICK_IDLE": 1,
    "SCX_KICK_PREEMPT": 2,
    "SCX_KICK_WAIT": 4,
    "SCX_OPS_KEEP_BUILTIN_IDLE": 1,
    "SCX_OPS_ENQ_LAST": 2,
    "SCX_OPS_ENQ_EXITING": 4,
    "SCX_OPS_SWITCH_PARTIAL": 8,
    "SCX_OPS_ENQ_MIGRATION_DISABLED": 16,
    "SCX_OPS_ALLOW_QUEUED_WAKEUP": 32,
    "SCX_OPS_BUILTIN_IDLE_PER_NODE": 64,
    "SCX_OPS_ALWAYS_ENQ_IMMED": 128,
    "SCX_OPS_TID_TO_TASK": 256,
    "SCX_OPS_HAS_CGROUP_WEIGHT": 1 << 16,
    "U64_MAX": (1 << 64) - 1,
    "UINT64_MAX": (1 << 64) - 1,
    "U32_MAX": (1 << 32) - 1,
    "NSEC_PER_USEC": 1_000,
    "NSEC_PER_MSEC": 1_000_000,
    "NSEC_PER_SEC": 1_000_000_000,
}
KNOWN_FLAGS = 0x1FF | 1 << 16

# Members of struct sched_ext_ops that are called for tasks or CPUs all the time.
HOT = frozenset({"select_cpu", "enqueue", "dequeue", "dispatch", "tick", "runnable", "running", "stopping", "quiescent",
                 "yield", "core_sched_before", "update_idle"})  # fmt: skip
MEMBERS = HOT | {
    "set_weight", "set_cpumask", "init_task", "exit_task", "enable", "disable", "dump", "dump_cpu", "dump_task",
    "cgroup_init", "cgroup_exit", "cgroup_prep_move", "cgroup_move", "cgroup_cancel_move", "cgroup_set_weight",
    "cgroup_set_bandwidth", "cgroup_set_idle", "cpu_online", "cpu_offline", "cpu_acquire", "cpu_release", "init",
    "exit", "sub_attach", "sub_detach", "init_cids",
}  # fmt: skip
SLEEPABLE = frozenset({"init_task", "cgroup_init", "cgroup_exit", "cgroup_prep_move", "cpu_online", "cpu_offline",
                       "init", "exit", "sub_attach", "sub_detach", "init_cids", "cgroup_set_bandwidth"})  # fmt: skip

INSERT = frozenset({"scx_bpf_dsq_insert", "scx_bpf_dispatch"})
INSERT_VTIME = frozenset({"scx_bpf_dsq_insert_vtime", "scx_bpf_dispatch_vtime"})
INSERTS = INSERT | INSERT_VTIME
CONSUME = frozenset({"scx_bpf_dsq_move_to_local", "scx_bpf_consume"})
REENQUEUE = frozenset({"scx_bpf_dsq_reenq"})  # 7.1: all of a queue goes through ops.enqueue() again
MOVE = frozenset({"scx_bpf_dsq_move", "scx_bpf_dispatch_from_dsq"})
MOVE_VTIME = frozenset({"scx_bpf_dsq_move_vtime", "scx_bpf_dispatch_vtime_from_dsq"})
MOVES = MOVE | MOVE_VTIME
DSQ_ITERS = frozenset({"__sched_for_each_scx_dsq", "bpf_iter_scx_dsq_new"})
PICKS = frozenset({"scx_bpf_pick_idle_cpu", "scx_bpf_pick_idle_cpu_node", "scx_bpf_select_cpu_and"})

CLOCKS = frozenset({"bpf_ktime_get_ns", "scx_bpf_now", "bpf_ktime_get_boot_ns", "bpf_ktime_get_coarse_ns",
                    "bpf_ktime_get_tai_ns", "bpf_jiffies64"})  # fmt: skip

# What must be undone in the same program, and by what.
LOCKS = {
    "bpf_rcu_read_lock": "bpf_rcu_read_unlock",
    "bpf_spin_lock": "bpf_spin_unlock",
    "bpf_preempt_disable": "bpf_preempt_enable",
}

# They give NULL when there is nothing.
LOOKUPS = frozenset({"bpf_map_lookup_elem", "bpf_map_lookup_percpu_elem", "bpf_task_storage_get",
                     "bpf_cgrp_storage_get", "bpf_inode_storage_get", "bpf_sk_storage_get"})  # fmt: skip
NULLABLE = frozenset({
    "bpf_task_from_pid", "bpf_task_from_vpid", "bpf_cgroup_from_id", "bpf_cgroup_ancestor", "bpf_cpumask_create",
    "bpf_kptr_xchg", "bpf_obj_new", "bpf_percpu_obj_new", "bpf_ringbuf_reserve", "scx_bpf_dsq_peek",
    "bpf_rbtree_first", "bpf_rbtree_remove", "bpf_list_pop_front", "bpf_list_pop_back", "bpf_per_cpu_ptr",
    "bpf_cgroup_acquire", "bpf_task_acquire", "bpf_refcount_acquire", "scx_bpf_tid_to_task",
})  # fmt: skip

# What has to be given back, and by what.
ACQUIRES = {
    "scx_bpf_get_online_cpumask": "scx_bpf_put_cpumask",
    "scx_bpf_get_possible_cpumask": "scx_bpf_put_cpumask",
    "scx_bpf_get_idle_cpumask": "scx_bpf_put_idle_cpumask",
    "scx_bpf_get_idle_smtmask": "scx_bpf_put_idle_cpumask",
    "scx_bpf_get_idle_cpumask_node": "scx_bpf_put_idle_cpumask",
    "scx_bpf_get_idle_smtmask_node": "scx_bpf_put_idle_cpumask",
    "bpf_task_from_pid": "bpf_task_release",
    "bpf_task_from_vpid": "bpf_task_release",
    "bpf_task_acquire": "bpf_task_release",
    "bpf_cgroup_from_id": "bpf_cgroup_release",
    "bpf_cgroup_acquire": "bpf_cgroup_release",
    "bpf_cgroup_ancestor": "bpf_cgroup_release",
    "scx_bpf_task_cgroup": "bpf_cgroup_release",
    "bpf_cpumask_create": "bpf_cpumask_release",
    "bpf_cpumask_acquire": "bpf_cpumask_release",
    "bpf_ringbuf_reserve": "bpf_ringbuf_submit",
    "bpf_obj_new": "bpf_obj_drop",
}
