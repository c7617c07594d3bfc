/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with a slice by parameter. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

const volatile u64 slice_us = 4000;	/* 500 .. 20000 */
const volatile bool wake_others = true;

s32 OP(mn_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * 1000, 0);
	return cpu;
}

void OP(mn_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu;

	scx_bpf_dsq_insert(p, SHARED_DSQ, slice_us * 1000, enq_flags);
	if (!wake_others)
		return;
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void OP(mn_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(mn_init)
{
	if (slice_us < 500 || slice_us > 20000)
		return -22;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mn_ops = {
	.select_cpu	= (void *)mn_select_cpu,
	.enqueue	= (void *)mn_enqueue,
	.dispatch	= (void *)mn_dispatch,
	.init		= (void *)mn_init,
	.timeout_ms	= 5000,
	.name		= "bounded_params",
};
