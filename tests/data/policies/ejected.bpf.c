/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: the two hundredth task goes to a queue that was never made. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

#define NO_SUCH_DSQ 77ULL

static u64 count;

void OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq = __sync_fetch_and_add(&count, 1) < 200 ? SCX_DSQ_GLOBAL : NO_SUCH_DSQ;

	scx_bpf_dsq_insert(p, dsq, 5 * NSEC_PER_MSEC, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue	= (void *)bad_enqueue,
	.timeout_ms	= 5000,
	.name		= "ejected",
};
