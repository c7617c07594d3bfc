/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that boosts. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

s32 OP(hj_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(hj_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->scx.weight > 100)
		p->static_prio = 100;
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(hj_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(hj_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops hj_ops = {
	.select_cpu	= (void *)hj_select_cpu,
	.enqueue	= (void *)hj_enqueue,
	.dispatch	= (void *)hj_dispatch,
	.init		= (void *)hj_init,
	.timeout_ms	= 5000,
	.name		= "v_write_field",
};
