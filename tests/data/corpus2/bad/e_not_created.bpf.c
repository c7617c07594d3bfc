/* SPDX-License-Identifier: GPL-2.0 */
/* Queues per node of two CPUs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define PAIR_DSQ(c) (50ULL + (u32)(c))
#define SLICE_NS    (5ULL * 1000 * 1000)

s32 OP(fe_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(fe_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, PAIR_DSQ(scx_bpf_task_cpu(p)), SLICE_NS, enq_flags);
}

void OP(fe_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(PAIR_DSQ(cpu));
}

s32 OP_S(fe_init)
{
	s32 err = scx_bpf_create_dsq(PAIR_DSQ(0), -1);

	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops fe_ops = {
	.select_cpu	= (void *)fe_select_cpu,
	.enqueue	= (void *)fe_enqueue,
	.dispatch	= (void *)fe_dispatch,
	.init		= (void *)fe_init,
	.timeout_ms	= 5000,
	.name		= "e_not_created",
};
