/* SPDX-License-Identifier: GPL-2.0 */
/* Tasks bound to one CPU have a queue per CPU, served in turn with the shared one. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define MAX_CPUS   256
#define CPU_DSQ(c) (1000ULL + (u32)(c))
#define SLICE_NS   (5ULL * 1000 * 1000)

static u32 nr_cpus = 1;
#define SHARED_DSQ 1ULL

static u64 turns[MAX_CPUS];

/* While BPF runs, migration of the current task is disabled for that alone. */
static bool stays_here(struct task_struct *p)
{
	if (p->migration_disabled == 1)
		return bpf_get_current_task_btf() != p;
	return p->migration_disabled;
}

s32 OP(ms_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ms_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (p->nr_cpus_allowed == 1 || stays_here(p)) {
		scx_bpf_dsq_insert(p, CPU_DSQ(cpu), SLICE_NS, enq_flags);
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(ms_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 turn;

	if (cpu < 0 || cpu >= MAX_CPUS)
		return;
	turn = turns[cpu]++;
	if ((turn & 1) && scx_bpf_dsq_move_to_local(SHARED_DSQ))
		return;
	if (scx_bpf_dsq_move_to_local(CPU_DSQ(cpu)))
		return;
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(ms_init)
{
	s32 err;
	u32 i;

	nr_cpus = scx_bpf_nr_cpu_ids() ?: 1;
	if (nr_cpus > MAX_CPUS)
		return -7;
	bpf_for(i, 0, nr_cpus) {
		err = scx_bpf_create_dsq(CPU_DSQ(i), -1);
		if (err)
			return err;
	}
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops ms_ops = {
	.select_cpu	= (void *)ms_select_cpu,
	.enqueue	= (void *)ms_enqueue,
	.dispatch	= (void *)ms_dispatch,
	.init		= (void *)ms_init,
	.timeout_ms	= 5000,
	.name		= "pinned_in_turn",
};
