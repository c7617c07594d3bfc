/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that keeps its own idle mask. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)
#define MAX_CPUS   256

static u8 idle_cpus[MAX_CPUS];
static u32 nr_cpus = 1;

s32 OP(mi_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void OP(mi_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 i;

	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
	bpf_for(i, 0, nr_cpus) {
		if (i < MAX_CPUS && idle_cpus[i] && bpf_cpumask_test_cpu(i, p->cpus_ptr)) {
			scx_bpf_kick_cpu(i, SCX_KICK_IDLE);
			break;
		}
	}
}

void OP(mi_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(mi_update_idle, s32 cpu, bool idle)
{
	if (cpu >= 0 && cpu < MAX_CPUS)
		idle_cpus[cpu] = idle;
}

s32 OP_S(mi_init)
{
	nr_cpus = scx_bpf_nr_cpu_ids();
	if (nr_cpus > MAX_CPUS)
		return -7;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mi_ops = {
	.select_cpu	= (void *)mi_select_cpu,
	.enqueue	= (void *)mi_enqueue,
	.dispatch	= (void *)mi_dispatch,
	.update_idle	= (void *)mi_update_idle,
	.init		= (void *)mi_init,
	.timeout_ms	= 5000,
	.name		= "own_idle",
};
