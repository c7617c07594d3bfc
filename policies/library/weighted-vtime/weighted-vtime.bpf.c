/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * weighted-vtime: one queue for all, ordered by virtual time; CPU time in proportion to weight (nice values).
 *
 * What a task gets is its share of the machine and not of one CPU, because all CPUs take from the same queue: no load
 * balancing is needed and none can go wrong. On machines with many CPUs the shared queue's lock is the price.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

const volatile u64 slice_us = 5000;
const volatile u64 credit_us = 5000;

struct exit_record exit_record;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fair_task);
} tasks SEC(".maps");

static __always_inline struct fair_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

s32 OP(wv_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(wv_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct fair_task *t = task_of(p);
	u64 key = t ? fair_key(t, credit_us * NSEC_PER_USEC) : fair_now;

	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	wake_idle_cpu(p);
}

void OP(wv_dispatch, s32 cpu, struct task_struct *prev)
{
	struct fair_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, t);
		if (leads(SHARED_DSQ, t->vtime, cpu)) {
			fair_running(t, credit_us * NSEC_PER_USEC);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(wv_running, struct task_struct *p)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_running(t, credit_us * NSEC_PER_USEC);
}

void OP(wv_stopping, struct task_struct *p, bool runnable)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_charge(p, t);
}

s32 OP_SLEEPABLE(wv_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(wv_enable, struct task_struct *p)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_join(t);
}

s32 OP_SLEEPABLE(wv_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000) || credit_us > 100000)
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(wv_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops weighted_vtime_ops = {
	.select_cpu	= (void *)wv_select_cpu,
	.enqueue	= (void *)wv_enqueue,
	.dispatch	= (void *)wv_dispatch,
	.running	= (void *)wv_running,
	.stopping	= (void *)wv_stopping,
	.init_task	= (void *)wv_init_task,
	.enable		= (void *)wv_enable,
	.init		= (void *)wv_init,
	.exit		= (void *)wv_exit,
	.timeout_ms	= 5000,
	.name		= "weighted_vtime",
};
