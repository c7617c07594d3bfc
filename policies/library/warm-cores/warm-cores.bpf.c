/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * warm-cores: whoever is awake takes the work; idle CPUs are woken up for it, but nothing is bound to them.
 *
 * A CPU that has idled for a while sleeps deeply and has lost its frequency: it takes a moment to wake up and then works
 * slowly for some milliseconds. A scheduler that sends every new process to an idle CPU hands it to such a one, although
 * the parent, on a CPU at full speed, is about to wait for it. The serial parts of a build are chains of short processes,
 * and each of them pays.
 *
 * Here a task that wakes up or is born goes to one queue for all, and an idle CPU is woken up, the one it ran on last if
 * that idles. A CPU that runs out of work looks into the queue. So while the idle one comes out of its sleep, the CPU of
 * the waker may be first: if the waker goes to sleep meanwhile, its CPU takes the task and stays warm. If it does not,
 * the task starts where and when it would have started anyway. Few tasks keep to few CPUs by that, and no CPU stays idle
 * while a task waits. When all are busy the queue's order decides: weighted virtual time.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 slice_us = 5000;

struct exit_record exit_record;

struct wc_task {
	struct fair_task fair;
	bool placed; /* an idle CPU was found for it and is being woken up */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wc_task);
} tasks SEC(".maps");

static __always_inline struct wc_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

s32 OP(wc_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct wc_task *t = task_of(p);
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	/* Not inserted into that CPU's own queue: from there nobody else could take it. */
	if (t)
		t->placed = idle;
	return cpu;
}

void OP(wc_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct wc_task *t = task_of(p);
	u64 key = t ? fair_key(&t->fair, CREDIT_NS) : fair_now;

	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	/* The kernel wakes up the CPU that ops.select_cpu() named. */
	if (!t || !t->placed)
		wake_idle_cpu(p);
	if (t)
		t->placed = false;
}

void OP(wc_dispatch, s32 cpu, struct task_struct *prev)
{
	struct wc_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, &t->fair);
		if (leads(SHARED_DSQ, t->fair.vtime, cpu)) {
			fair_running(&t->fair, CREDIT_NS);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(wc_running, struct task_struct *p)
{
	struct wc_task *t = task_of(p);

	if (t)
		fair_running(&t->fair, CREDIT_NS);
}

void OP(wc_stopping, struct task_struct *p, bool runnable)
{
	struct wc_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
}

s32 OP_SLEEPABLE(wc_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(wc_enable, struct task_struct *p)
{
	struct wc_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(wc_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000))
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(wc_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops warm_cores_ops = {
	.select_cpu	= (void *)wc_select_cpu,
	.enqueue	= (void *)wc_enqueue,
	.dispatch	= (void *)wc_dispatch,
	.running	= (void *)wc_running,
	.stopping	= (void *)wc_stopping,
	.init_task	= (void *)wc_init_task,
	.enable		= (void *)wc_enable,
	.init		= (void *)wc_init,
	.exit		= (void *)wc_exit,
	.timeout_ms	= 5000,
	.name		= "warm_cores",
};
