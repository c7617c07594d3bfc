/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that keeps count of idle CPUs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u64 nr_idle;

s32 OP(gg_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(gg_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(gg_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(gg_update_idle, s32 cpu, bool idle)
{
	if (idle)
		__sync_fetch_and_add(&nr_idle, 1);
}

s32 OP_S(gg_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops gg_ops = {
	.select_cpu	= (void *)gg_select_cpu,
	.enqueue	= (void *)gg_enqueue,
	.dispatch	= (void *)gg_dispatch,
	.update_idle	= (void *)gg_update_idle,
	.init		= (void *)gg_init,
	.timeout_ms	= 5000,
	.name		= "e_idle_disabled",
};
