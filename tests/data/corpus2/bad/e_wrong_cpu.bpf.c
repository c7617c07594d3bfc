/* SPDX-License-Identifier: GPL-2.0 */
/* Round robin over CPUs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)

static u32 nr_cpus = 1;
static u64 turn;

void OP(fa_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 next = __sync_fetch_and_add(&turn, 1) % nr_cpus;

	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | next, SLICE_NS, enq_flags);
}

s32 OP_S(fa_init)
{
	nr_cpus = scx_bpf_nr_cpu_ids() ?: 1;
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops fa_ops = {
	.enqueue	= (void *)fa_enqueue,
	.init		= (void *)fa_init,
	.timeout_ms	= 5000,
	.name		= "e_wrong_cpu",
};
