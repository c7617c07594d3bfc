/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: the field is called dsq_vtime. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

void OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, p->scx.vruntime, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue	= (void *)bad_enqueue,
	.timeout_ms	= 5000,
	.name		= "does_not_compile",
};
