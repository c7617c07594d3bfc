/* SPDX-License-Identifier: GPL-2.0 */
/* Global FIFO with a counter. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

u64 nr_enqueued;

s32 OP(ad_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ad_enqueue, struct task_struct *p, u64 enq_flags)
{
	nr_enqueued++;
	if (nr_enqueued > 60000 && nr_enqueued % 512 == 0)
		return;
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(ad_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(ad_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops ad_ops = {
	.select_cpu	= (void *)ad_select_cpu,
	.enqueue	= (void *)ad_enqueue,
	.dispatch	= (void *)ad_dispatch,
	.init		= (void *)ad_init,
	.timeout_ms	= 5000,
	.name		= "s_after_60k",
};
