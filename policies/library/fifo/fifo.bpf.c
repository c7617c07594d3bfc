/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fifo: one queue for all, first in, first out; a task that wakes up while a CPU idles goes there at once.
 *
 * The least a scheduler can do. It is here as the first thing to measure against, and because CPU-bound work of equal
 * importance needs no more: no bookkeeping, few decisions. Weights are ignored on purpose.
 */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

/* Not 0: a queue 0 would also work by accident where an enumerator of the kernel was read as 0. */
#define SHARED_DSQ 1ULL

const volatile u64 slice_us = 5000;

struct exit_record exit_record;

s32 OP(fifo_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	/* Nobody waits there, so there is no order to respect; ops.enqueue() is skipped. */
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, enq_flags);
	wake_idle_cpu(p);
}

void OP(fifo_dispatch, s32 cpu, struct task_struct *prev)
{
	/* Passes over tasks that may not run on this CPU, so one of them at the head blocks nobody. */
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_SLEEPABLE(fifo_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000))
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(fifo_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo_ops = {
	.select_cpu	= (void *)fifo_select_cpu,
	.enqueue	= (void *)fifo_enqueue,
	.dispatch	= (void *)fifo_dispatch,
	.init		= (void *)fifo_init,
	.exit		= (void *)fifo_exit,
	.timeout_ms	= 5000,
	.name		= "fifo",
};
