/* SPDX-License-Identifier: GPL-2.0 */
/* Tiers by weight in one queue: a tier is worth 100 ms of waiting and no more. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)
#define TIER_NS    (100ULL * 1000 * 1000)

s32 OP(md_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(md_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 tier = p->scx.weight > 100 ? 0 : p->scx.weight == 100 ? 1 : 2;

	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SLICE_NS, bpf_ktime_get_ns() + tier * TIER_NS, enq_flags);
}

void OP(md_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(md_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops md_ops = {
	.select_cpu	= (void *)md_select_cpu,
	.enqueue	= (void *)md_enqueue,
	.dispatch	= (void *)md_dispatch,
	.init		= (void *)md_init,
	.timeout_ms	= 5000,
	.name		= "aged_tiers",
};
