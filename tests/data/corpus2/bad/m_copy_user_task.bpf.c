/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that knows programs by their arguments. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

char seen[64];

s32 OP(jj_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(jj_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(jj_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(jj_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct mm_struct *mm = p->mm;

	if (mm)
		bpf_copy_from_user_task(seen, sizeof(seen), (void *)mm->arg_start, p, 0);
	return 0;
}

s32 OP_S(jj_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops jj_ops = {
	.select_cpu	= (void *)jj_select_cpu,
	.enqueue	= (void *)jj_enqueue,
	.dispatch	= (void *)jj_dispatch,
	.init_task	= (void *)jj_init_task,
	.init		= (void *)jj_init,
	.timeout_ms	= 5000,
	.name		= "m_copy_user_task",
};
