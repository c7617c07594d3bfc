/* SPDX-License-Identifier: GPL-2.0 */
/* Dispatch looks for a task of this CPU's own in the shared queue first. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)
#define SCAN_MAX   16
#define THIS_ITER  (&___it)

s32 OP(mt_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mt_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(mt_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u32 seen = 0;
	bool done = false;

	bpf_for_each(scx_dsq, p, SHARED_DSQ, 0) {
		if (++seen > SCAN_MAX)
			break;
		if (scx_bpf_task_cpu(p) != cpu || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		if (scx_bpf_dsq_move(THIS_ITER, p, SCX_DSQ_LOCAL, 0)) {
			done = true;
			break;
		}
	}
	if (!done)
		scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(mt_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mt_ops = {
	.select_cpu	= (void *)mt_select_cpu,
	.enqueue	= (void *)mt_enqueue,
	.dispatch	= (void *)mt_dispatch,
	.init		= (void *)mt_init,
	.timeout_ms	= 5000,
	.name		= "iter_move",
};
