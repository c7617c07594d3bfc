/* SPDX-License-Identifier: GPL-2.0 */
/* Urgent tasks jump the queue. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static __always_inline void put(struct task_struct *p, u64 queue, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, queue, SLICE_NS, enq_flags);
}

s32 OP(fg_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(fg_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->scx.weight > 100)
		put(p, SHARED_DSQ, enq_flags);
	else
		scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SLICE_NS, bpf_ktime_get_ns(), enq_flags);
}

void OP(fg_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(fg_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops fg_ops = {
	.select_cpu	= (void *)fg_select_cpu,
	.enqueue	= (void *)fg_enqueue,
	.dispatch	= (void *)fg_dispatch,
	.init		= (void *)fg_init,
	.timeout_ms	= 5000,
	.name		= "e_vtime_and_fifo_helper",
};
