/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that wakes a CPU only when the idle mask has one. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

s32 OP(mh_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mh_enqueue, struct task_struct *p, u64 enq_flags)
{
	const struct cpumask *idle = scx_bpf_get_idle_cpumask();
	s32 cpu = -1;

	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
	if (!bpf_cpumask_empty(idle))
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	scx_bpf_put_idle_cpumask(idle);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void OP(mh_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(mh_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mh_ops = {
	.select_cpu	= (void *)mh_select_cpu,
	.enqueue	= (void *)mh_enqueue,
	.dispatch	= (void *)mh_dispatch,
	.init		= (void *)mh_init,
	.timeout_ms	= 5000,
	.name		= "idle_mask",
};
