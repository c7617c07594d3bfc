/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO of pids in a ring of its own. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)
#define RING     64

struct entry {
	s32 pid;
};

static struct entry ring[RING];
static u64 head, tail;

s32 OP(ag_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ag_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 slot = __sync_fetch_and_add(&tail, 1) & (RING - 1);

	ring[slot].pid = p->pid;
}

void OP(ag_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u64 slot;
	u32 i;

	bpf_for(i, 0, 8) {
		if (head >= tail)
			return;
		slot = __sync_fetch_and_add(&head, 1) & (RING - 1);
		p = bpf_task_from_pid(ring[slot].pid);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, 0);
		bpf_task_release(p);
		return;
	}
}

SEC(".struct_ops.link")
struct sched_ext_ops ag_ops = {
	.select_cpu	= (void *)ag_select_cpu,
	.enqueue	= (void *)ag_enqueue,
	.dispatch	= (void *)ag_dispatch,
	.timeout_ms	= 5000,
	.name		= "s_ring_64",
};
