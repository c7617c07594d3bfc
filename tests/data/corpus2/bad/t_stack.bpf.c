/* SPDX-License-Identifier: GPL-2.0 */
/* Warm caches first: the newest task runs next. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 8192);
	__type(value, s32);
} newest SEC(".maps");

s32 OP(bb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(bb_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&newest, &pid, 0))
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags);
}

void OP(bb_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	s32 pid;
	u32 i;

	bpf_for(i, 0, 8) {
		if (bpf_map_pop_elem(&newest, &pid))
			return;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, 0);
		bpf_task_release(p);
		return;
	}
}

SEC(".struct_ops.link")
struct sched_ext_ops bb_ops = {
	.select_cpu	= (void *)bb_select_cpu,
	.enqueue	= (void *)bb_enqueue,
	.dispatch	= (void *)bb_dispatch,
	.timeout_ms	= 30000,
	.name		= "t_stack",
};
