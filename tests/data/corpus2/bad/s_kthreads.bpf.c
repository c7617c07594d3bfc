/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel threads apart from the rest. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define DSQ_BASE    40ULL
#define USER_DSQ    (DSQ_BASE + 1)
#define KTHREAD_DSQ (DSQ_BASE + 2)
#define PF_KTHREAD  0x00200000
#define SLICE_NS    (5ULL * 1000 * 1000)

void OP(ai_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD)
		scx_bpf_dsq_insert(p, KTHREAD_DSQ, SLICE_NS, enq_flags);
	else
		scx_bpf_dsq_insert(p, USER_DSQ, SLICE_NS, enq_flags);
}

void OP(ai_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(USER_DSQ);
}

s32 OP_S(ai_init)
{
	s32 err = scx_bpf_create_dsq(USER_DSQ, -1);

	if (!err)
		err = scx_bpf_create_dsq(KTHREAD_DSQ, -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops ai_ops = {
	.enqueue	= (void *)ai_enqueue,
	.dispatch	= (void *)ai_dispatch,
	.init		= (void *)ai_init,
	.timeout_ms	= 5000,
	.name		= "s_kthreads",
};
