/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * short-first: whoever is expected to be done soonest goes first, as far as watching it can tell (shortest job first).
 *
 * Serving short work before long work brings the mean time of all of it down, and hardly delays the long: that is why
 * shortest job first is the best order there is for a mean. It has to know how long a job is; here that is guessed from
 * the task's own past, the mean of its bursts (burst.h), and no hint is needed. Tasks wait in one queue ordered by
 *
 *	key = time of enqueueing + stretch * CPU time still to come in this burst, at most max_wait_ms
 *
 * The bound is the ageing: a task is passed over for max_wait_ms and no longer, and when all of them are long the queue
 * is first in, first out. Weights are ignored.
 */
#include "burst.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

const volatile u64 slice_us = 3000;
const volatile u64 stretch = 8;
const volatile u64 max_wait_ms = 300;

struct exit_record exit_record;

struct sf_task {
	struct burst burst;
	u64 started_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sf_task);
} tasks SEC(".maps");

static __always_inline struct sf_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline u64 due_ns(struct sf_task *t, u64 now)
{
	u64 wait_ns = burst_left_ns(&t->burst) * stretch;
	u64 most_ns = max_wait_ms * NSEC_PER_MSEC;

	return now + (wait_ns < most_ns ? wait_ns : most_ns);
}

static __always_inline void charge(struct sf_task *t, u64 now)
{
	t->burst.used_ns += now - t->started_ns;
	t->started_ns = now;
}

s32 OP(sf_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(sf_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct sf_task *t = task_of(p);
	u64 now = bpf_ktime_get_ns();

	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, t ? due_ns(t, now) : now, enq_flags);
	wake_idle_cpu(p);
}

void OP(sf_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 now = bpf_ktime_get_ns();
	struct sf_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(t, now);
		if (leads(SHARED_DSQ, due_ns(t, now), cpu)) {
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(sf_running, struct task_struct *p)
{
	struct sf_task *t = task_of(p);

	if (t)
		t->started_ns = bpf_ktime_get_ns();
}

void OP(sf_stopping, struct task_struct *p, bool runnable)
{
	struct sf_task *t = task_of(p);

	if (t)
		charge(t, bpf_ktime_get_ns());
}

void OP(sf_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct sf_task *t = task_of(p);

	if (t)
		burst_ends(&t->burst, deq_flags);
}

s32 OP_SLEEPABLE(sf_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

s32 OP_SLEEPABLE(sf_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000) || OUT_OF_RANGE(stretch, 1, 100) || OUT_OF_RANGE(max_wait_ms, 10, 1000))
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(sf_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops short_first_ops = {
	.select_cpu	= (void *)sf_select_cpu,
	.enqueue	= (void *)sf_enqueue,
	.dispatch	= (void *)sf_dispatch,
	.running	= (void *)sf_running,
	.stopping	= (void *)sf_stopping,
	.quiescent	= (void *)sf_quiescent,
	.init_task	= (void *)sf_init_task,
	.init		= (void *)sf_init,
	.exit		= (void *)sf_exit,
	.timeout_ms	= 5000,
	.name		= "short_first",
};
