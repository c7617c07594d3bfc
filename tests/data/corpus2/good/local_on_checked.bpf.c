/* SPDX-License-Identifier: GPL-2.0 */
/* Round robin over CPUs, with the mask looked at. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)

static u32 nr_cpus = 1;
static u64 turn;

/* While BPF runs, migration of the current task is disabled for that alone. */
static bool stays_here(struct task_struct *p)
{
	if (p->migration_disabled == 1)
		return bpf_get_current_task_btf() != p;
	return p->migration_disabled;
}

void OP(mp_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 next = __sync_fetch_and_add(&turn, 1) % nr_cpus;

	if (p->nr_cpus_allowed > 1 && !stays_here(p) && bpf_cpumask_test_cpu(next, p->cpus_ptr))
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | next, SLICE_NS, enq_flags);
	else
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, enq_flags);
}

s32 OP_S(mp_init)
{
	nr_cpus = scx_bpf_nr_cpu_ids() ?: 1;
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops mp_ops = {
	.enqueue	= (void *)mp_enqueue,
	.init		= (void *)mp_init,
	.timeout_ms	= 5000,
	.name		= "local_on_checked",
};
