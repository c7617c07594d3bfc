/* SPDX-License-Identifier: GPL-2.0 */
/* Boosted tasks get a queue of their own. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)
#define HIGH_DSQ   2ULL

static __always_inline u64 queue_of(struct task_struct *p)
{
	return p->scx.weight > 100 ? HIGH_DSQ : SHARED_DSQ;
}

s32 OP(aa_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(aa_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, queue_of(p), SLICE_NS, enq_flags);
}

void OP(aa_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(aa_init)
{
	s32 err = scx_bpf_create_dsq(SHARED_DSQ, -1);

	if (!err)
		err = scx_bpf_create_dsq(HIGH_DSQ, -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops aa_ops = {
	.select_cpu	= (void *)aa_select_cpu,
	.enqueue	= (void *)aa_enqueue,
	.dispatch	= (void *)aa_dispatch,
	.init		= (void *)aa_init,
	.timeout_ms	= 5000,
	.name		= "s_negative_nice",
};
