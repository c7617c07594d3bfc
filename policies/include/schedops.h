/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every policy of this library shares: kfunc declarations, callback macros, parameter checks, the hints map and
 * the record of why a policy ended.
 */
#ifndef SCHEDOPS_H
#define SCHEDOPS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EINVAL 22
#define ENOMEM 12

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL

/* The weight of nice 0: sched_ext scales 1..10000 around 100. */
#define WEIGHT_NICE_0 100

/*
 * Every kfunc is declared here although vmlinux.h usually does: dumps of some kernels leave some of them out. Weak, so
 * that an object with a call behind bpf_ksym_exists() also loads where the kfunc is missing.
 */
extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym __weak;
extern s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym __weak;
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags)
	__ksym __weak;
extern bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
extern s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle) __ksym __weak;
extern s32 scx_bpf_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags, const struct cpumask *cpus_allowed,
				  u64 flags) __ksym __weak;
extern s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym __weak;
extern bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym __weak;
extern u32 scx_bpf_nr_cpu_ids(void) __ksym __weak;
extern int scx_bpf_cpu_node(s32 cpu) __ksym __weak;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym __weak;
extern void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym __weak;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym __weak;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym __weak;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym __weak;
extern bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags)
	__ksym __weak;
extern bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym __weak;
extern struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym __weak;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym __weak;
/* Linux 6.19; older kernels let a policy write p->scx.slice itself. */
extern bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym __weak;

/* A callback: OP for the scheduler's hot path, OP_SLEEPABLE for those that may allocate and sleep. */
#define OP(name, args...)	    SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

/* For init: the loader sets parameters before the kernel sees the object, so a wrong one is refused here at the latest. */
#define OUT_OF_RANGE(value, low, high) ((value) < (low) || (value) > (high))

/*
 * Hints: the CPU time that history expects a task to need in all, written by the resident loader through a pidfd.
 * No entry, or 0, means that nothing is known.
 */
struct task_hint {
	u64 expected_ns;
};

#define HINTS_MAP                                            \
	struct {                                             \
		__uint(type, BPF_MAP_TYPE_TASK_STORAGE);     \
		__uint(map_flags, BPF_F_NO_PREALLOC);        \
		__type(key, int);                            \
		__type(value, struct task_hint);             \
	} hints SEC(".maps");                                \
	static __always_inline u64 hint_ns(struct task_struct *p) \
	{                                                    \
		struct task_hint *hint = bpf_task_storage_get(&hints, p, 0, 0); \
		return hint ? hint->expected_ns : 0;         \
	}

/* Why the policy ended, for whoever holds the object open; the kernel log says the same in its own words. */
struct exit_record {
	s32 kind;
	s64 exit_code;
	char reason[64];
	char msg[256];
};

#define RECORD_EXIT(record, ei)                                                           \
	({                                                                                \
		(record).exit_code = (ei)->exit_code;                                     \
		bpf_probe_read_kernel_str((record).reason, sizeof((record).reason), (ei)->reason); \
		bpf_probe_read_kernel_str((record).msg, sizeof((record).msg), (ei)->msg); \
		(record).kind = (ei)->kind;                                               \
	})

/* Is time stamp (or virtual time) a before b? Right across the wrap at 2^64. */
static __always_inline bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* Give a task that is running, or about to, a fresh slice. */
static __always_inline void set_slice(struct task_struct *p, u64 slice_ns)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice_ns);
	else
		p->scx.slice = slice_ns;
}

/*
 * A task went to a shared queue: see that an idle CPU which may run it looks there. ops.select_cpu() finds idle CPUs
 * for tasks that wake up, but is skipped for tasks bound to one CPU and for those that come back from a used-up slice.
 */
static __always_inline void wake_idle_cpu(struct task_struct *p)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

/* The iterator of the innermost bpf_for_each(), for scx_bpf_dsq_move() of the task it is at. */
#define FOR_EACH_ITER (&___it)

/* How far into a queue to look for a task that may run on the asking CPU. */
#define SCAN_MAX 64

/*
 * Would a task with this key be ahead of every task of the queue that may run on this CPU? The task that comes off a
 * CPU is in no queue while ops.dispatch() runs; without this question the head of the queue would always win, and two
 * tasks would take turns whatever their keys say.
 */
static __always_inline bool leads(u64 dsq_id, u64 key, s32 cpu)
{
	struct task_struct *p;
	bool ahead = true;
	u32 seen = 0;

	bpf_for_each(scx_dsq, p, dsq_id, 0) {
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			ahead = !before(p->scx.dsq_vtime, key);
			break;
		}
		if (++seen >= SCAN_MAX)
			break;
	}
	return ahead;
}

/* CPUs for which a policy keeps something; a machine with more is refused by ops.init(). */
#define MAX_CPUS 1024

/* Did the task that comes off the CPU only use up its slice, and wants to go on? */
static __always_inline bool wants_more(struct task_struct *prev)
{
	return prev && (prev->scx.flags & SCX_TASK_QUEUED);
}

#endif /* SCHEDOPS_H */
