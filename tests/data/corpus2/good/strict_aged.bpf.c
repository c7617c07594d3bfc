/* SPDX-License-Identifier: GPL-2.0 */
/* Urgent tasks first, but every eighth turn is the others'. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define URGENT_DSQ 1ULL
#define OTHERS_DSQ 2ULL
#define SLICE_NS   (3ULL * 1000 * 1000)

static u64 turns;

s32 OP(me_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(me_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, p->scx.weight > 100 ? URGENT_DSQ : OTHERS_DSQ, SLICE_NS, enq_flags);
}

void OP(me_dispatch, s32 cpu, struct task_struct *prev)
{
	bool others = (__sync_fetch_and_add(&turns, 1) & 7) == 7;

	if (others && scx_bpf_dsq_move_to_local(OTHERS_DSQ))
		return;
	if (scx_bpf_dsq_move_to_local(URGENT_DSQ))
		return;
	scx_bpf_dsq_move_to_local(OTHERS_DSQ);
}

s32 OP_S(me_init)
{
	s32 err = scx_bpf_create_dsq(URGENT_DSQ, -1);

	if (!err)
		err = scx_bpf_create_dsq(OTHERS_DSQ, -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops me_ops = {
	.select_cpu	= (void *)me_select_cpu,
	.enqueue	= (void *)me_enqueue,
	.dispatch	= (void *)me_dispatch,
	.init		= (void *)me_init,
	.timeout_ms	= 5000,
	.name		= "strict_aged",
};
