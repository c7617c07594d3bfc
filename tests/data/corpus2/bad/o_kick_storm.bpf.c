/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that tells every CPU. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u32 nr_cpus = 1;

s32 OP(da_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(da_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 i;

	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
	bpf_for(i, 0, nr_cpus)
		scx_bpf_kick_cpu(i, SCX_KICK_PREEMPT);
}

void OP(da_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(da_init)
{
	nr_cpus = scx_bpf_nr_cpu_ids() ?: 1;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops da_ops = {
	.select_cpu	= (void *)da_select_cpu,
	.enqueue	= (void *)da_enqueue,
	.dispatch	= (void *)da_dispatch,
	.init		= (void *)da_init,
	.timeout_ms	= 5000,
	.name		= "o_kick_storm",
};
