/* SPDX-License-Identifier: GPL-2.0 */
/* Three tiers, the best first. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define HIGH_DSQ 1ULL
#define MID_DSQ  2ULL
#define LOW_DSQ  3ULL
#define SLICE_NS (5ULL * 1000 * 1000)

s32 OP(ba_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ba_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 dsq = p->scx.weight > 100 ? HIGH_DSQ : p->scx.weight == 100 ? MID_DSQ : LOW_DSQ;

	scx_bpf_dsq_insert(p, dsq, SLICE_NS, enq_flags);
}

void OP(ba_dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_dsq_move_to_local(HIGH_DSQ))
		return;
	if (scx_bpf_dsq_move_to_local(MID_DSQ))
		return;
	scx_bpf_dsq_move_to_local(LOW_DSQ);
}

s32 OP_S(ba_init)
{
	s32 err = scx_bpf_create_dsq(HIGH_DSQ, -1);

	if (!err)
		err = scx_bpf_create_dsq(MID_DSQ, -1);
	if (!err)
		err = scx_bpf_create_dsq(LOW_DSQ, -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops ba_ops = {
	.select_cpu	= (void *)ba_select_cpu,
	.enqueue	= (void *)ba_enqueue,
	.dispatch	= (void *)ba_dispatch,
	.init		= (void *)ba_init,
	.timeout_ms	= 30000,
	.name		= "t_strict",
};
