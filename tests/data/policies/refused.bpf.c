/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: a map's value is used without a check for NULL. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

void OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 key = p->scx.weight;
	u64 *count = bpf_map_lookup_elem(&counts, &key);

	*count += 1;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, 5 * NSEC_PER_MSEC, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue	= (void *)bad_enqueue,
	.timeout_ms	= 5000,
	.name		= "refused",
};
