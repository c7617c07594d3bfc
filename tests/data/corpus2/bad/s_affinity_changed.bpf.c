/* SPDX-License-Identifier: GPL-2.0 */
/* Every task has a home CPU. */
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

struct task_ctx {
	u32 home;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(al_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(al_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);

	if (!t) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags);
		return;
	}
	scx_bpf_dsq_insert(p, CPU_DSQ(t->home), SLICE_NS, enq_flags);
	scx_bpf_kick_cpu(t->home, SCX_KICK_IDLE);
}

void OP(al_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(CPU_DSQ(cpu));
}

s32 OP(al_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return -12;
	t->home = bpf_cpumask_any_distribute(p->cpus_ptr);
	return 0;
}

s32 OP_S(al_init)
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
struct sched_ext_ops al_ops = {
	.select_cpu	= (void *)al_select_cpu,
	.enqueue	= (void *)al_enqueue,
	.dispatch	= (void *)al_dispatch,
	.init_task	= (void *)al_init_task,
	.init		= (void *)al_init,
	.timeout_ms	= 5000,
	.name		= "s_affinity_changed",
};
