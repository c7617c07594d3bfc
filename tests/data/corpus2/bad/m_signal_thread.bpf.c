/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with a limit on CPU time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

s32 OP(jk_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(jk_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(jk_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(jk_tick, struct task_struct *p)
{
	if (p->se.sum_exec_runtime > 60ULL * 1000 * 1000 * 1000)
		bpf_send_signal_thread(19);
}

s32 OP_S(jk_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops jk_ops = {
	.select_cpu	= (void *)jk_select_cpu,
	.enqueue	= (void *)jk_enqueue,
	.dispatch	= (void *)jk_dispatch,
	.tick		= (void *)jk_tick,
	.init		= (void *)jk_init,
	.timeout_ms	= 5000,
	.name		= "m_signal_thread",
};
