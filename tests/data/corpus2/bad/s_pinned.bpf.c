/* SPDX-License-Identifier: GPL-2.0 */
/* Tasks bound to one CPU have queues of their own. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ    1ULL
#define PINNED_DSQ(c) (100ULL + (u32)(c))
#define MAX_CPUS      256
#define SLICE_NS      (5ULL * 1000 * 1000)

static u32 nr_cpus = 1;

s32 OP(ac_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ac_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->nr_cpus_allowed == 1) {
		scx_bpf_dsq_insert(p, PINNED_DSQ(scx_bpf_task_cpu(p)), SLICE_NS, enq_flags);
		scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
		return;
	}
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(ac_dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_dsq_move_to_local(PINNED_DSQ(0)))
		return;
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(ac_init)
{
	s32 err;
	u32 i;

	nr_cpus = scx_bpf_nr_cpu_ids();
	if (nr_cpus > MAX_CPUS)
		return -7;
	bpf_for(i, 0, nr_cpus) {
		err = scx_bpf_create_dsq(PINNED_DSQ(i), -1);
		if (err)
			return err;
	}
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops ac_ops = {
	.select_cpu	= (void *)ac_select_cpu,
	.enqueue	= (void *)ac_enqueue,
	.dispatch	= (void *)ac_dispatch,
	.init		= (void *)ac_init,
	.timeout_ms	= 5000,
	.name		= "s_pinned",
};
