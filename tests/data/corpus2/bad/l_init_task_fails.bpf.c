/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that admits so many tasks and no more. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u64 admitted;

s32 OP(gb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(gb_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(gb_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(gb_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return __sync_add_and_fetch(&admitted, 1) > 20 ? -12 : 0;
}

s32 OP_S(gb_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops gb_ops = {
	.select_cpu	= (void *)gb_select_cpu,
	.enqueue	= (void *)gb_enqueue,
	.dispatch	= (void *)gb_dispatch,
	.init_task	= (void *)gb_init_task,
	.init		= (void *)gb_init,
	.timeout_ms	= 5000,
	.name		= "l_init_task_fails",
};
