/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU queues, kept through CPU hotplug. */
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

static u8 offline[MAX_CPUS];

s32 OP(an_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(an_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	scx_bpf_dsq_insert(p, CPU_DSQ(cpu), SLICE_NS, enq_flags);
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void OP(an_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(CPU_DSQ(cpu));
}

void OP_S(an_cpu_online, s32 cpu)
{
	if (cpu >= 0 && cpu < MAX_CPUS)
		offline[cpu] = 0;
}

void OP_S(an_cpu_offline, s32 cpu)
{
	if (cpu >= 0 && cpu < MAX_CPUS)
		offline[cpu] = 1;
}

s32 OP_S(an_init)
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
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops an_ops = {
	.select_cpu	= (void *)an_select_cpu,
	.enqueue	= (void *)an_enqueue,
	.dispatch	= (void *)an_dispatch,
	.cpu_online	= (void *)an_cpu_online,
	.cpu_offline	= (void *)an_cpu_offline,
	.init		= (void *)an_init,
	.timeout_ms	= 5000,
	.name		= "s_offline_queue",
};
