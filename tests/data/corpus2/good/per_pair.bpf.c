/* SPDX-License-Identifier: GPL-2.0 */
/* A queue per pair of CPUs, the others' when one's own is empty. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define MAX_CPUS   256
#define CPUS_PER   2
#define LLC_OF(c)  ((u32)(c) / CPUS_PER)
#define LLC_DSQ(l) (500ULL + (l))
#define SLICE_NS   (5ULL * 1000 * 1000)

static u32 nr_llcs = 1;

s32 OP(mb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

static __always_inline void wake_one(struct task_struct *p)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void OP(mb_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, LLC_DSQ(LLC_OF(scx_bpf_task_cpu(p))), SLICE_NS, enq_flags);
	wake_one(p);
}

void OP(mb_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 mine = LLC_OF(cpu);
	u32 i;

	if (scx_bpf_dsq_move_to_local(LLC_DSQ(mine)))
		return;
	bpf_for(i, 0, nr_llcs) {
		if (i != mine && scx_bpf_dsq_move_to_local(LLC_DSQ(i)))
			return;
	}
}

s32 OP_S(mb_init)
{
	u32 cpus = scx_bpf_nr_cpu_ids();
	s32 err;
	u32 i;

	if (cpus > MAX_CPUS)
		return -7;
	nr_llcs = (cpus + CPUS_PER - 1) / CPUS_PER;
	bpf_for(i, 0, nr_llcs) {
		err = scx_bpf_create_dsq(LLC_DSQ(i), -1);
		if (err)
			return err;
	}
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops mb_ops = {
	.select_cpu	= (void *)mb_select_cpu,
	.enqueue	= (void *)mb_enqueue,
	.dispatch	= (void *)mb_dispatch,
	.init		= (void *)mb_init,
	.timeout_ms	= 5000,
	.name		= "per_pair",
};
