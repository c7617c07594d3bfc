/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * prev-cpu: a task goes back to the CPU that it ran on last.
 *
 * A task that moves to another CPU finds cold caches there, and on large machines its memory far away. One queue for all
 * moves nearly every task at every turn, as whichever CPU is free takes the head; a queue for each CPU keeps tasks at
 * home, but needs a balancer. This is in between: one queue by weighted virtual time, of which a CPU does not take the
 * head but, among those that are behind it by less than window_us, the first that it ran last. By as much the task that
 * just used up its slice is preferred, too. What is bent is the order, by a bounded lag; shares stay what they are, and
 * who wakes up goes before all of this.
 *
 * Who wakes up goes to its previous CPU if that idles, whatever its core and its caches are shared with.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 slice_us = 5000;
const volatile u64 window_us = 10000;

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

s32 OP(pr_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = prev_cpu;
	bool idle = bpf_cpumask_test_cpu(prev_cpu, p->cpus_ptr) && scx_bpf_test_and_clear_cpu_idle(prev_cpu);

	if (!idle)
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(pr_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct fair_task *t = task_of(p);
	u64 key = t ? fair_key(t, CREDIT_NS) : fair_now;

	/* Those who compute can wait for each other's caches; who wakes up does not wait for theirs. */
	if (enq_flags & SCX_ENQ_WAKEUP)
		key -= window_us * NSEC_PER_USEC;
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	wake_idle_cpu(p);
}

/* Take the first task that ran on this CPU last, unless it is too far behind the head. */
static __always_inline bool take_own(s32 cpu)
{
	struct task_struct *p;
	bool taken = false;
	u64 latest = 0;
	u32 seen = 0;

	bpf_for_each(scx_dsq, p, SHARED_DSQ, 0) {
		if (!seen)
			latest = p->scx.dsq_vtime + window_us * NSEC_PER_USEC;
		if (++seen > SCAN_MAX || before(latest, p->scx.dsq_vtime))
			break;
		if (scx_bpf_task_cpu(p) != cpu || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		taken = scx_bpf_dsq_move(FOR_EACH_ITER, p, SCX_DSQ_LOCAL, 0);
		break;
	}
	return taken;
}

void OP(pr_dispatch, s32 cpu, struct task_struct *prev)
{
	struct fair_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, t);
		if (leads(SHARED_DSQ, t->vtime - window_us * NSEC_PER_USEC, cpu)) {
			fair_running(t, CREDIT_NS);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	if (!take_own(cpu))
		scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(pr_running, struct task_struct *p)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_running(t, CREDIT_NS);
}

void OP(pr_stopping, struct task_struct *p, bool runnable)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_charge(p, t);
}

s32 OP_SLEEPABLE(pr_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(pr_enable, struct task_struct *p)
{
	struct fair_task *t = task_of(p);

	if (t)
		fair_join(t);
}

s32 OP_SLEEPABLE(pr_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000) || window_us > 100000)
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(pr_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops prev_cpu_ops = {
	.select_cpu	= (void *)pr_select_cpu,
	.enqueue	= (void *)pr_enqueue,
	.dispatch	= (void *)pr_dispatch,
	.running	= (void *)pr_running,
	.stopping	= (void *)pr_stopping,
	.init_task	= (void *)pr_init_task,
	.enable		= (void *)pr_enable,
	.init		= (void *)pr_init,
	.exit		= (void *)pr_exit,
	.timeout_ms	= 5000,
	.name		= "prev_cpu",
};
