/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: calls a kfunc that no kernel has. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

extern u64 scx_bpf_no_such_thing(struct task_struct *p) __ksym;

void OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, scx_bpf_no_such_thing(p), enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue	= (void *)bad_enqueue,
	.timeout_ms	= 5000,
	.name		= "missing_kfunc",
};
