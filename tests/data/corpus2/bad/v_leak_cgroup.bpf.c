/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with slices by cgroup. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

s32 OP(hg_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(hg_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgrp = scx_bpf_task_cgroup(p);
	u64 slice = cgrp->level > 1 ? SLICE_NS / 2 : SLICE_NS;

	scx_bpf_dsq_insert(p, SHARED_DSQ, slice, enq_flags);
}

void OP(hg_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(hg_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops hg_ops = {
	.select_cpu	= (void *)hg_select_cpu,
	.enqueue	= (void *)hg_enqueue,
	.dispatch	= (void *)hg_dispatch,
	.init		= (void *)hg_init,
	.timeout_ms	= 5000,
	.name		= "v_leak_cgroup",
};
