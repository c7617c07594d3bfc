/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For schedulers written for sched-ext/scx's headers, when those are not at hand (`schedops verify --include DIR` uses
 * the real ones): the same names with the same meaning, written anew, and only as far as a scheduler needs them to be
 * compiled and verified. Policies of this library use schedops.h instead.
 */
#ifndef SCHEDOPS_SCX_COMMON_H
#define SCHEDOPS_SCX_COMMON_H

/* The kernel's BTF knows one signature for each kfunc; compat.bpf.h needs several. */
#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <asm-generic/errno.h>
#include "bpf_arena_common.bpf.h"
#include "user_exit_info.h"

#define CLOCK_MONOTONIC 1
#define NUMA_NO_NODE (-1)
#ifndef NR_CPUS
#define NR_CPUS 1024
#endif

/* include/linux/sched.h: macros there, so BTF does not have them. */
#define PF_IDLE 0x00000002
#define PF_EXITING 0x00000004
#define PF_IO_WORKER 0x00000010
#define PF_WQ_WORKER 0x00000020
#define PF_KCOMPACTD 0x00010000
#define PF_KSWAPD 0x00020000
#define PF_KTHREAD 0x00200000

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_PREEMPT_RCU __kconfig __weak;

/* A kfunc, weak: an object with a call behind bpf_ksym_exists() also loads where the kfunc is missing. */
#define KFUNC(result, name, ...) extern result name(__VA_ARGS__) __ksym __weak

KFUNC(s32, scx_bpf_create_dsq, u64 dsq_id, s32 node);
KFUNC(void, scx_bpf_destroy_dsq, u64 dsq_id);
KFUNC(s32, scx_bpf_dsq_nr_queued, u64 dsq_id);
KFUNC(struct task_struct *, scx_bpf_dsq_peek, u64 dsq_id);
KFUNC(u32, scx_bpf_dispatch_nr_slots, void);
KFUNC(void, scx_bpf_dispatch_cancel, void);
KFUNC(int, bpf_iter_scx_dsq_new, struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags);
KFUNC(struct task_struct *, bpf_iter_scx_dsq_next, struct bpf_iter_scx_dsq *it);
KFUNC(void, bpf_iter_scx_dsq_destroy, struct bpf_iter_scx_dsq *it);
KFUNC(s32, scx_bpf_select_cpu_dfl, struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle);
KFUNC(void, scx_bpf_kick_cpu, s32 cpu, u64 flags);
KFUNC(bool, scx_bpf_test_and_clear_cpu_idle, s32 cpu);
KFUNC(s32, scx_bpf_pick_idle_cpu, const cpumask_t *cpus_allowed, u64 flags);
KFUNC(s32, scx_bpf_pick_idle_cpu_node, const cpumask_t *cpus_allowed, int node, u64 flags);
KFUNC(s32, scx_bpf_pick_any_cpu, const cpumask_t *cpus_allowed, u64 flags);
KFUNC(s32, scx_bpf_pick_any_cpu_node, const cpumask_t *cpus_allowed, int node, u64 flags);
KFUNC(const struct cpumask *, scx_bpf_get_possible_cpumask, void);
KFUNC(const struct cpumask *, scx_bpf_get_online_cpumask, void);
KFUNC(void, scx_bpf_put_cpumask, const struct cpumask *cpumask);
KFUNC(const struct cpumask *, scx_bpf_get_idle_cpumask, void);
KFUNC(const struct cpumask *, scx_bpf_get_idle_cpumask_node, int node);
KFUNC(const struct cpumask *, scx_bpf_get_idle_smtmask, void);
KFUNC(const struct cpumask *, scx_bpf_get_idle_smtmask_node, int node);
KFUNC(void, scx_bpf_put_idle_cpumask, const struct cpumask *cpumask);
KFUNC(u32, scx_bpf_nr_cpu_ids, void);
KFUNC(u32, scx_bpf_nr_node_ids, void);
KFUNC(int, scx_bpf_cpu_node, s32 cpu);
KFUNC(u32, scx_bpf_cpuperf_cap, s32 cpu);
KFUNC(u32, scx_bpf_cpuperf_cur, s32 cpu);
KFUNC(void, scx_bpf_cpuperf_set, s32 cpu, u32 perf);
KFUNC(bool, scx_bpf_task_running, const struct task_struct *p);
KFUNC(s32, scx_bpf_task_cpu, const struct task_struct *p);
KFUNC(struct rq *, scx_bpf_cpu_rq, s32 cpu);
KFUNC(struct rq *, scx_bpf_locked_rq, void);
KFUNC(struct task_struct *, scx_bpf_cpu_curr, s32 cpu);
KFUNC(struct task_struct *, scx_bpf_tid_to_task, u64 tid);
KFUNC(void, scx_bpf_events, struct scx_event_stats *events, size_t events__sz);
KFUNC(void, scx_bpf_exit_bstr, s64 exit_code, char *fmt, unsigned long long *data, u32 data__sz);
KFUNC(void, scx_bpf_error_bstr, char *fmt, unsigned long long *data, u32 data__sz);
KFUNC(void, scx_bpf_dump_bstr, char *fmt, unsigned long long *data, u32 data__sz);

/* Objects, lists and trees of BPF. */
KFUNC(void *, bpf_obj_new_impl, u64 local_type_id__k, void *meta__ign);
KFUNC(void, bpf_obj_drop_impl, void *p__alloc, void *meta__ign);
KFUNC(void *, bpf_refcount_acquire_impl, void *p__refcounted_kptr, void *meta__ign);
KFUNC(int, bpf_list_push_front_impl, struct bpf_list_head *head, struct bpf_list_node *node, void *meta__ign, u64 off);
KFUNC(int, bpf_list_push_back_impl, struct bpf_list_head *head, struct bpf_list_node *node, void *meta__ign, u64 off);
KFUNC(struct bpf_list_node *, bpf_list_pop_front, struct bpf_list_head *head);
KFUNC(struct bpf_list_node *, bpf_list_pop_back, struct bpf_list_head *head);
KFUNC(int, bpf_rbtree_add_impl, struct bpf_rb_root *root, struct bpf_rb_node *node,
      bool (*less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta__ign, u64 off);
KFUNC(struct bpf_rb_node *, bpf_rbtree_first, struct bpf_rb_root *root);
KFUNC(struct bpf_rb_node *, bpf_rbtree_remove, struct bpf_rb_root *root, struct bpf_rb_node *node);

#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))
#define __contains(type, member) __attribute__((btf_decl_tag("contains:" #type ":" #member)))
#define bpf_obj_new(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define bpf_obj_drop(object) bpf_obj_drop_impl(object, NULL)
#define bpf_refcount_acquire(object) bpf_refcount_acquire_impl(object, NULL)
#define bpf_list_push_front(head, node) bpf_list_push_front_impl(head, node, NULL, 0)
#define bpf_list_push_back(head, node) bpf_list_push_back_impl(head, node, NULL, 0)
#define bpf_rbtree_add(root, node, less) bpf_rbtree_add_impl(root, node, less, NULL, 0)

/* Tasks, cgroups, RCU, locks. */
KFUNC(struct task_struct *, bpf_task_from_pid, s32 pid);
KFUNC(struct task_struct *, bpf_task_acquire, struct task_struct *p);
KFUNC(void, bpf_task_release, struct task_struct *p);
KFUNC(struct cgroup *, bpf_cgroup_ancestor, struct cgroup *cgrp, int level);
KFUNC(struct cgroup *, bpf_cgroup_acquire, struct cgroup *cgrp);
KFUNC(void, bpf_cgroup_release, struct cgroup *cgrp);
KFUNC(struct cgroup *, bpf_cgroup_from_id, u64 cgid);
KFUNC(int, bpf_iter_css_new, struct bpf_iter_css *it, struct cgroup_subsys_state *start, unsigned int flags);
KFUNC(struct cgroup_subsys_state *, bpf_iter_css_next, struct bpf_iter_css *it);
KFUNC(void, bpf_iter_css_destroy, struct bpf_iter_css *it);
KFUNC(int, bpf_iter_task_new, struct bpf_iter_task *it, struct task_struct *task__nullable, unsigned int flags);
KFUNC(struct task_struct *, bpf_iter_task_next, struct bpf_iter_task *it);
KFUNC(void, bpf_iter_task_destroy, struct bpf_iter_task *it);
KFUNC(void, bpf_rcu_read_lock, void);
KFUNC(void, bpf_rcu_read_unlock, void);
KFUNC(int, bpf_res_spin_lock, struct bpf_res_spin_lock *lock);
KFUNC(void, bpf_res_spin_unlock, struct bpf_res_spin_lock *lock);

/* CPU masks. */
KFUNC(struct bpf_cpumask *, bpf_cpumask_create, void);
KFUNC(struct bpf_cpumask *, bpf_cpumask_acquire, struct bpf_cpumask *cpumask);
KFUNC(void, bpf_cpumask_release, struct bpf_cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first_zero, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first_and, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(void, bpf_cpumask_set_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(void, bpf_cpumask_clear_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_cpu, u32 cpu, const struct cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_and_set_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_and_clear_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(void, bpf_cpumask_setall, struct bpf_cpumask *cpumask);
KFUNC(void, bpf_cpumask_clear, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_and, struct bpf_cpumask *dst, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(void, bpf_cpumask_or, struct bpf_cpumask *dst, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(void, bpf_cpumask_xor, struct bpf_cpumask *dst, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_equal, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_intersects, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_subset, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_empty, const struct cpumask *cpumask);
KFUNC(bool, bpf_cpumask_full, const struct cpumask *cpumask);
KFUNC(void, bpf_cpumask_copy, struct bpf_cpumask *dst, const struct cpumask *src);
KFUNC(u32, bpf_cpumask_any_distribute, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_any_and_distribute, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(u32, bpf_cpumask_weight, const struct cpumask *cpumask);
KFUNC(int, bpf_iter_bits_new, struct bpf_iter_bits *it, const u64 *unsafe_ptr__ign, u32 nr_words);
KFUNC(int *, bpf_iter_bits_next, struct bpf_iter_bits *it);
KFUNC(void, bpf_iter_bits_destroy, struct bpf_iter_bits *it);

static __always_inline const struct cpumask *cast_mask(struct bpf_cpumask *mask)
{
	return (const struct cpumask *)mask;
}

/* Callbacks. */
#define BPF_STRUCT_OPS(name, args...) SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

/* The iterator of the innermost bpf_for_each(), for scx_bpf_dsq_move() of the task it is at. */
#define BPF_FOR_EACH_ITER (&___it)

/* The last array of a data section of its own, which a loader may lengthen. */
#ifdef __wasm__ /* nobody resizes it: room for every CPU that can be simulated */
#define RESIZABLE_ARRAY(section, array) array[512] SEC("." #section "." #array)
#else
#define RESIZABLE_ARRAY(section, array) array[1] SEC("." #section "." #array)
#endif

/*
 * Words with numbers in them, for the kfuncs that end in _bstr. The format is not const: the kernel's verifier wants
 * memory behind a kfunc's plain char * to be writable.
 */
static inline __attribute__((format(printf, 1, 2))) void schedops_check_format(const char *format, ...)
{
}

#define SCHEDOPS_BSTR(format, args...)                                             \
	static char words[] = format;                                              \
	unsigned long long values[___bpf_narg(args) ?: 1] = {};                    \
	_Pragma("clang diagnostic push")                                           \
	_Pragma("clang diagnostic ignored \"-Wint-conversion\"")                   \
	___bpf_fill(values, args);                                                 \
	_Pragma("clang diagnostic pop")                                            \
	schedops_check_format(format, ##args)

#define scx_bpf_error(format, args...)                                    \
	({                                                                \
		SCHEDOPS_BSTR(format, ##args);                            \
		scx_bpf_error_bstr(words, values, sizeof(values));        \
	})
#define scx_bpf_exit(code, format, args...)                               \
	({                                                                \
		SCHEDOPS_BSTR(format, ##args);                            \
		scx_bpf_exit_bstr(code, words, values, sizeof(values));   \
	})
#define scx_bpf_dump(format, args...)                                     \
	({                                                                \
		SCHEDOPS_BSTR(format, ##args);                            \
		scx_bpf_dump_bstr(words, values, sizeof(values));         \
	})
#define scx_bpf_dump_header() scx_bpf_dump("kernel: %d", LINUX_KERNEL_VERSION)

/*
 * The address of an element, or NULL when it is outside, in a form whose bounds the kernel's verifier can follow: the
 * offset is compared and added in one piece of assembly that the compiler cannot take apart.
 */
#ifdef __wasm__ /* the simulator has no such verifier */
#define SCHEDOPS_BOUNDED(start, offset, last, last_kind) ((offset) > (last) ? 0 : (start) + (offset))
#else
#define SCHEDOPS_BOUNDED(start, offset, last, last_kind)                  \
	({                                                                \
		u64 at = (offset);                                        \
		asm volatile("if %[at] > %[end] goto +2\n"                \
			     "%[at] += %[base]\n"                         \
			     "goto +1\n"                                  \
			     "%[at] = 0\n"                                \
			     : [at] "+r"(at)                              \
			     : [base] "r"(start), [end] last_kind(last)); \
		at;                                                       \
	})
#endif
#define MEMBER_VPTR(whole, member)                                                                     \
	((typeof((whole)member) *)({                                                                   \
		_Static_assert(sizeof(whole) >= sizeof((whole)member), "the first argument is a pointer"); \
		u64 base = (u64) & (whole);                                                            \
		SCHEDOPS_BOUNDED(base, (u64) & ((whole)member) - base,                                 \
				 sizeof(whole) - sizeof((whole)member), "i");                          \
	}))
#define ARRAY_ELEM_PTR(array, index, count)                                                                 \
	((typeof((array)[0]) *)({                                                                           \
		u64 base = (u64)(array);                                                                    \
		SCHEDOPS_BOUNDED(base, (u64) & ((array)[index]) - base, sizeof((array)[0]) * ((count)-1), "r"); \
	}))

/* Makes the verifier forget what it knows of a value, so that the turns of a loop look alike to it. */
#define __sink(value) asm volatile("" : "+g"(value))

#define READ_ONCE(value) (*(const volatile typeof(value) *)&(value))
#define WRITE_ONCE(place, value) ((void)(*(volatile typeof(place) *)&(place) = (value)))

/* Time stamps, right across the wrap. */
static inline bool time_after(u64 a, u64 b)
{
	return (s64)(a - b) > 0;
}
static inline bool time_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}
static inline bool time_after_eq(u64 a, u64 b)
{
	return (s64)(a - b) >= 0;
}
static inline bool time_before_eq(u64 a, u64 b)
{
	return (s64)(a - b) <= 0;
}
static inline bool time_in_range(u64 at, u64 first, u64 last)
{
	return time_after_eq(at, first) && time_before_eq(at, last);
}
static inline bool time_in_range_open(u64 at, u64 first, u64 end)
{
	return time_after_eq(at, first) && time_before(at, end);
}
static inline s64 time_delta(u64 after, u64 before)
{
	return time_after(after, before) ? (s64)(after - before) : 0;
}

/* CPU time as a heavier task pays for it, and the other way round; 100 is the weight of nice 0. */
static inline u64 scale_by_task_weight(const struct task_struct *p, u64 value)
{
	return value * p->scx.weight / 100;
}
static inline u64 scale_by_task_weight_inverse(const struct task_struct *p, u64 value)
{
	return value * 100 / p->scx.weight;
}

/* 1 + the position of the highest bit that is set; 0 for 0. */
static inline u32 log2_u64(u64 value)
{
	u32 bits = 0;

	for (u32 step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			bits += step;
		}
	}
	return bits + (value != 0);
}
static inline u32 log2_u32(u32 value)
{
	u32 bits = log2_u64(value);

	return bits ? bits - 1 : 0;
}
static inline u64 get_prandom_u64(void)
{
	return (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
}

/*
 * Must the task stay where it is? The trampoline of some kernels (before 6.18, or with CONFIG_PREEMPT_RCU) pins the
 * running task for the time of the call, which does not count. In doubt yes: staying is always allowed.
 */
static inline bool is_migration_disabled(const struct task_struct *p)
{
	if (!bpf_core_field_exists(p->migration_disabled))
		return false;
	return p->migration_disabled > 1 || (p->migration_disabled && bpf_get_current_task_btf() != p);
}

#include "compat.bpf.h"
#include "enums.bpf.h"

#endif /* SCHEDOPS_SCX_COMMON_H */
