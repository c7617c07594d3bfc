/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work-stealing: a fair queue for each CPU; who has nothing to do steals.
 *
 * One queue for all is fair and simple, but every CPU that chooses a task takes its lock, and a task runs somewhere else
 * each time. With a queue for each CPU there is no such lock, and tasks stay at home. The price of queues of one's own is
 * that somebody has to balance them. Nobody does it as a job here: a CPU that runs out of work steals from the others,
 * the next one by number first, and a CPU that chooses looks at one other queue, drawn by lot: sooner or later it is one
 * that is longer.
 */
#include "queues.h"

char _license[] SEC("license") = "GPL";

const volatile u64 slice_us = 3000;
const volatile u64 lead = 1;

struct exit_record exit_record;

s32 OP(ws_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(ws_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct queued_task *t = task_of(p);
	u32 queue = scx_bpf_task_cpu(p);

	scx_bpf_dsq_insert_vtime(p, QUEUE_DSQ(queue), slice_us * NSEC_PER_USEC, t ? key_in(t, queue) : 0, enq_flags);
	/* Whoever idles will find it by stealing. */
	wake_idle_cpu(p);
}

void OP(ws_dispatch, s32 cpu, struct task_struct *prev)
{
	if (take_from_longer(cpu, lead))
		return;
	if (wants_more(prev) && goes_on_in(prev, cpu, cpu)) {
		set_slice(prev, slice_us * NSEC_PER_USEC);
		return;
	}
	if (!scx_bpf_dsq_move_to_local(QUEUE_DSQ(cpu)))
		steal(cpu);
}

void OP(ws_running, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		running_in(t, scx_bpf_task_cpu(p));
}

void OP(ws_stopping, struct task_struct *p, bool runnable)
{
	struct queued_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
}

s32 OP_SLEEPABLE(ws_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(ws_enable, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		join_queue(t, scx_bpf_task_cpu(p));
}

s32 OP_SLEEPABLE(ws_init)
{
	u32 cpus = scx_bpf_nr_cpu_ids();

	if (OUT_OF_RANGE(slice_us, 500, 20000) || OUT_OF_RANGE(lead, 1, 16) || cpus > MAX_CPUS)
		return -EINVAL;
	return create_queues(cpus);
}

void OP(ws_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops work_stealing_ops = {
	.select_cpu	= (void *)ws_select_cpu,
	.enqueue	= (void *)ws_enqueue,
	.dispatch	= (void *)ws_dispatch,
	.running	= (void *)ws_running,
	.stopping	= (void *)ws_stopping,
	.init_task	= (void *)ws_init_task,
	.enable		= (void *)ws_enable,
	.init		= (void *)ws_init,
	.exit		= (void *)ws_exit,
	.timeout_ms	= 5000,
	.name		= "work_stealing",
};
