/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One spelling for kfuncs that changed their name or signature between kernels. A name with ___ is the kfunc before
 * the ___ to the loader; so one kfunc can have several signatures here, and the one the kernel has is called.
 *
 * Macros, not functions: a source may have included vmlinux.h with its prototypes of the same names before.
 */
#ifndef SCHEDOPS_SCX_COMPAT_H
#define SCHEDOPS_SCX_COMPAT_H

#include "common.bpf.h"

/* 6.12: dispatch and consume. 6.13: insert and move. 6.19: insert says whether it did, and the virtual time travels in a struct. */
KFUNC(void, scx_bpf_dispatch___compat, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
KFUNC(void, scx_bpf_dispatch_vtime___compat, struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags);
KFUNC(void, scx_bpf_dsq_insert___compat, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
KFUNC(bool, scx_bpf_dsq_insert___v2___compat, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
KFUNC(void, scx_bpf_dsq_insert_vtime___compat, struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags);
struct scx_bpf_dsq_insert_vtime_args;
KFUNC(bool, __scx_bpf_dsq_insert_vtime___compat, struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args);

static __always_inline bool schedops_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))
		return scx_bpf_dsq_insert___v2___compat(p, dsq_id, slice, enq_flags);
	if (bpf_ksym_exists(scx_bpf_dsq_insert___compat))
		scx_bpf_dsq_insert___compat(p, dsq_id, slice, enq_flags);
	else
		scx_bpf_dispatch___compat(p, dsq_id, slice, enq_flags);
	return true;
}

static __always_inline bool schedops_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
						  u64 enq_flags)
{
	if (bpf_ksym_exists(__scx_bpf_dsq_insert_vtime___compat)) {
		/* Only filled in where the kernel has the struct, whose members have been these four in this order. */
		u64 args[4] = { dsq_id, slice, vtime, enq_flags };

		return __scx_bpf_dsq_insert_vtime___compat(p, (void *)args);
	}
	if (bpf_ksym_exists(scx_bpf_dsq_insert_vtime___compat))
		scx_bpf_dsq_insert_vtime___compat(p, dsq_id, slice, vtime, enq_flags);
	else
		scx_bpf_dispatch_vtime___compat(p, dsq_id, slice, vtime, enq_flags);
	return true;
}

#define scx_bpf_dsq_insert(p, dsq_id, slice, enq_flags) schedops_insert(p, dsq_id, slice, enq_flags)
#define scx_bpf_dsq_insert_vtime(p, dsq_id, slice, vtime, enq_flags) \
	schedops_insert_vtime(p, dsq_id, slice, vtime, enq_flags)
#define scx_bpf_dispatch(p, dsq_id, slice, enq_flags) ((void)schedops_insert(p, dsq_id, slice, enq_flags))
#define scx_bpf_dispatch_vtime(p, dsq_id, slice, vtime, enq_flags) \
	((void)schedops_insert_vtime(p, dsq_id, slice, vtime, enq_flags))

/* 7.1: a second argument with flags. Taken with one argument and with two. */
KFUNC(bool, scx_bpf_consume___compat, u64 dsq_id);
KFUNC(bool, scx_bpf_dsq_move_to_local___compat, u64 dsq_id);
KFUNC(bool, scx_bpf_dsq_move_to_local___v2___compat, u64 dsq_id, u64 enq_flags);

static __always_inline bool schedops_move_to_local(u64 dsq_id, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___compat))
		return scx_bpf_dsq_move_to_local___v2___compat(dsq_id, enq_flags);
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___compat))
		return scx_bpf_dsq_move_to_local___compat(dsq_id);
	return scx_bpf_consume___compat(dsq_id);
}

#define SCHEDOPS_FIRST(first, ...) first
#define SCHEDOPS_SECOND(first, second, ...) second
#define scx_bpf_dsq_move_to_local(...) \
	schedops_move_to_local(SCHEDOPS_FIRST(__VA_ARGS__, 0), SCHEDOPS_SECOND(__VA_ARGS__, 0, 0))
#define scx_bpf_consume(dsq_id) schedops_move_to_local(dsq_id, 0)

/* 6.12: dispatch_from_dsq and its companions. 6.13: dsq_move. */
#define SCHEDOPS_MOVE(result, new, old, none, params, args)        \
	KFUNC(result, new##___compat, SCHEDOPS_EACH params);       \
	KFUNC(result, old##___compat, SCHEDOPS_EACH params);       \
	static __always_inline result schedops_##new(SCHEDOPS_EACH params) \
	{                                                          \
		if (bpf_ksym_exists(new##___compat))               \
			return new##___compat args;                \
		if (bpf_ksym_exists(old##___compat))               \
			return old##___compat args;                \
		return none;                                       \
	}
#define SCHEDOPS_EACH(...) __VA_ARGS__

SCHEDOPS_MOVE(bool, scx_bpf_dsq_move, scx_bpf_dispatch_from_dsq, false,
	      (struct bpf_iter_scx_dsq * it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags),
	      (it__iter, p, dsq_id, enq_flags))
SCHEDOPS_MOVE(bool, scx_bpf_dsq_move_vtime, scx_bpf_dispatch_vtime_from_dsq, false,
	      (struct bpf_iter_scx_dsq * it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags),
	      (it__iter, p, dsq_id, enq_flags))
SCHEDOPS_MOVE(void, scx_bpf_dsq_move_set_slice, scx_bpf_dispatch_from_dsq_set_slice, (void)0,
	      (struct bpf_iter_scx_dsq * it__iter, u64 slice), (it__iter, slice))
SCHEDOPS_MOVE(void, scx_bpf_dsq_move_set_vtime, scx_bpf_dispatch_from_dsq_set_vtime, (void)0,
	      (struct bpf_iter_scx_dsq * it__iter, u64 vtime), (it__iter, vtime))

#define scx_bpf_dsq_move(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move(it, p, dsq_id, flags)
#define scx_bpf_dsq_move_vtime(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move_vtime(it, p, dsq_id, flags)
#define scx_bpf_dsq_move_set_slice(it, slice) schedops_scx_bpf_dsq_move_set_slice(it, slice)
#define scx_bpf_dsq_move_set_vtime(it, vtime) schedops_scx_bpf_dsq_move_set_vtime(it, vtime)
#define scx_bpf_dispatch_from_dsq(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move(it, p, dsq_id, flags)
#define scx_bpf_dispatch_vtime_from_dsq(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move_vtime(it, p, dsq_id, flags)
#define scx_bpf_dispatch_from_dsq_set_slice(it, slice) schedops_scx_bpf_dsq_move_set_slice(it, slice)
#define scx_bpf_dispatch_from_dsq_set_vtime(it, vtime) schedops_scx_bpf_dsq_move_set_vtime(it, vtime)
#define __COMPAT_scx_bpf_dispatch_from_dsq(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move(it, p, dsq_id, flags)
#define __COMPAT_scx_bpf_dispatch_vtime_from_dsq(it, p, dsq_id, flags) \
	schedops_scx_bpf_dsq_move_vtime(it, p, dsq_id, flags)
#define __COMPAT_scx_bpf_dispatch_from_dsq_set_slice(it, slice) schedops_scx_bpf_dsq_move_set_slice(it, slice)
#define __COMPAT_scx_bpf_dispatch_from_dsq_set_vtime(it, vtime) schedops_scx_bpf_dsq_move_set_vtime(it, vtime)
#define __COMPAT_scx_bpf_dsq_move(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move(it, p, dsq_id, flags)
#define __COMPAT_scx_bpf_dsq_move_vtime(it, p, dsq_id, flags) schedops_scx_bpf_dsq_move_vtime(it, p, dsq_id, flags)
#define __COMPAT_scx_bpf_dsq_move_set_slice(it, slice) schedops_scx_bpf_dsq_move_set_slice(it, slice)
#define __COMPAT_scx_bpf_dsq_move_set_vtime(it, vtime) schedops_scx_bpf_dsq_move_set_vtime(it, vtime)

/* 6.15: select_cpu_and. 6.19: its arguments travel in a struct. */
KFUNC(s32, scx_bpf_select_cpu_and___compat, struct task_struct *p, s32 prev_cpu, u64 wake_flags,
      const struct cpumask *cpus_allowed, u64 flags);
#define scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, allowed, flags) \
	scx_bpf_select_cpu_and___compat(p, prev_cpu, wake_flags, allowed, flags)
#define __COMPAT_HAS_scx_bpf_select_cpu_and bpf_ksym_exists(scx_bpf_select_cpu_and___compat)

/* 6.19: setters; older kernels let a policy write the members. */
KFUNC(bool, scx_bpf_task_set_slice___compat, struct task_struct *p, u64 slice);
KFUNC(bool, scx_bpf_task_set_dsq_vtime___compat, struct task_struct *p, u64 vtime);

static __always_inline void schedops_set_slice(struct task_struct *p, u64 slice)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice___compat))
		scx_bpf_task_set_slice___compat(p, slice);
	else
		p->scx.slice = slice;
}
static __always_inline void schedops_set_dsq_vtime(struct task_struct *p, u64 vtime)
{
	if (bpf_ksym_exists(scx_bpf_task_set_dsq_vtime___compat))
		scx_bpf_task_set_dsq_vtime___compat(p, vtime);
	else
		p->scx.dsq_vtime = vtime;
}
#define scx_bpf_task_set_slice(p, slice) schedops_set_slice(p, slice)
#define scx_bpf_task_set_dsq_vtime(p, vtime) schedops_set_dsq_vtime(p, vtime)

/* 6.19: reenqueue from everywhere, without a count. 7.1: of other queues too. */
KFUNC(u32, scx_bpf_reenqueue_local___compat, void);
KFUNC(void, scx_bpf_reenqueue_local___v2___compat, void);
KFUNC(void, scx_bpf_dsq_reenq___compat, u64 dsq_id, u64 reenq_flags);
#define __COMPAT_has_generic_reenq() bpf_ksym_exists(scx_bpf_dsq_reenq___compat)
#define __COMPAT_scx_bpf_reenqueue_local_from_anywhere() bpf_ksym_exists(scx_bpf_reenqueue_local___v2___compat)

static __always_inline u32 schedops_reenqueue_local(void)
{
	if (bpf_ksym_exists(scx_bpf_reenqueue_local___v2___compat)) {
		scx_bpf_reenqueue_local___v2___compat();
		return 0;
	}
	return scx_bpf_reenqueue_local___compat();
}
static __always_inline void schedops_reenq(u64 dsq_id, u64 reenq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_reenq___compat))
		scx_bpf_dsq_reenq___compat(dsq_id, reenq_flags);
	else
		schedops_reenqueue_local();
}
#define scx_bpf_reenqueue_local() schedops_reenqueue_local()
#define scx_bpf_dsq_reenq(dsq_id, flags) schedops_reenq(dsq_id, flags)

/* 6.14: scx_bpf_now(). 6.12: scx_bpf_task_cgroup(). 6.18: scx_bpf_cpu_curr(). 7.1: sub-schedulers. */
KFUNC(u64, scx_bpf_now___compat, void);
KFUNC(struct cgroup *, scx_bpf_task_cgroup___compat, struct task_struct *p);
KFUNC(bool, scx_bpf_sub_dispatch___compat, u64 cgroup_id);
#define scx_bpf_now() (bpf_ksym_exists(scx_bpf_now___compat) ? scx_bpf_now___compat() : bpf_ktime_get_ns())
#define scx_bpf_task_cgroup(p) \
	(bpf_ksym_exists(scx_bpf_task_cgroup___compat) ? scx_bpf_task_cgroup___compat(p) : NULL)
#define __COMPAT_scx_bpf_task_cgroup(p) scx_bpf_task_cgroup(p)
#define scx_bpf_sub_dispatch(cgroup_id) \
	(bpf_ksym_exists(scx_bpf_sub_dispatch___compat) ? scx_bpf_sub_dispatch___compat(cgroup_id) : false)

static __always_inline struct task_struct *__COMPAT_scx_bpf_cpu_curr(int cpu)
{
	struct rq *rq;

	if (bpf_ksym_exists(scx_bpf_cpu_curr))
		return scx_bpf_cpu_curr(cpu);
	rq = scx_bpf_cpu_rq(cpu);
	return rq ? rq->curr : NULL;
}

/* The head of a queue, as the iterator sees it: on every kernel the same. */
static __always_inline struct task_struct *__COMPAT_scx_bpf_dsq_peek(u64 dsq_id)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p = NULL;

	if (!bpf_iter_scx_dsq_new(&it, dsq_id, 0))
		p = bpf_iter_scx_dsq_next(&it);
	bpf_iter_scx_dsq_destroy(&it);
	return p;
}

static __always_inline bool __COMPAT_is_enq_cpu_selected(u64 enq_flags)
{
	/* A kernel without the flag never skips ops.select_cpu(). */
	return !bpf_core_enum_value_exists(enum scx_enq_flags, SCX_ENQ_CPU_SELECTED) ||
	       enq_flags & bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_CPU_SELECTED);
}

#define __COMPAT_ENUM_OR_ZERO(type, name) (bpf_core_enum_value_exists(type, name) ? bpf_core_enum_value(type, name) : 0)
#define scx_read_event(events, name) (bpf_core_field_exists((events)->name) ? (events)->name : 0)
#define __COMPAT_scx_bpf_events(events, size) \
	({ if (bpf_ksym_exists(scx_bpf_events)) scx_bpf_events(events, size); })
#define __COMPAT_scx_bpf_nr_node_ids() (bpf_ksym_exists(scx_bpf_nr_node_ids) ? scx_bpf_nr_node_ids() : 1U)
#define __COMPAT_scx_bpf_cpu_node(cpu) (bpf_ksym_exists(scx_bpf_cpu_node) ? scx_bpf_cpu_node(cpu) : 0)
#define __COMPAT_scx_bpf_get_idle_cpumask_node(node) \
	(bpf_ksym_exists(scx_bpf_get_idle_cpumask_node) ? scx_bpf_get_idle_cpumask_node(node) : scx_bpf_get_idle_cpumask())
#define __COMPAT_scx_bpf_get_idle_smtmask_node(node) \
	(bpf_ksym_exists(scx_bpf_get_idle_smtmask_node) ? scx_bpf_get_idle_smtmask_node(node) : scx_bpf_get_idle_smtmask())
#define __COMPAT_scx_bpf_pick_idle_cpu_node(allowed, node, flags)                                        \
	(bpf_ksym_exists(scx_bpf_pick_idle_cpu_node) ? scx_bpf_pick_idle_cpu_node(allowed, node, flags) : \
						       scx_bpf_pick_idle_cpu(allowed, flags))
#define __COMPAT_scx_bpf_pick_any_cpu_node(allowed, node, flags)                                       \
	(bpf_ksym_exists(scx_bpf_pick_any_cpu_node) ? scx_bpf_pick_any_cpu_node(allowed, node, flags) : \
						      scx_bpf_pick_any_cpu(allowed, flags))

#define SCX_OPS_DEFINE(name, ...) SEC(".struct_ops.link") struct sched_ext_ops name = { __VA_ARGS__ };

#endif /* SCHEDOPS_SCX_COMPAT_H */
