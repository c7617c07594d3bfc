/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: dispatch never looks into the queue of niced tasks. Tasks of nice 0 run as if nothing were wrong. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

#define FAST_DSQ 1ULL
#define SLOW_DSQ 2ULL

void OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq = p->scx.weight < WEIGHT_NICE_0 ? SLOW_DSQ : FAST_DSQ;

	scx_bpf_dsq_insert(p, dsq, 5 * NSEC_PER_MSEC, enq_flags);
}

void OP(bad_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(FAST_DSQ);
}

s32 OP_SLEEPABLE(bad_init)
{
	s32 err = scx_bpf_create_dsq(FAST_DSQ, -1);

	return err ? err : scx_bpf_create_dsq(SLOW_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue	= (void *)bad_enqueue,
	.dispatch	= (void *)bad_dispatch,
	.init		= (void *)bad_init,
	.timeout_ms	= 5000,
	.name		= "stalls",
};
