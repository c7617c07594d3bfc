/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO of pids. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} fifo SEC(".maps");

s32 OP(hb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(hb_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&fifo, &pid, 0))
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags);
}

void OP(hb_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	s32 pid;

	if (bpf_map_pop_elem(&fifo, &pid))
		return;
	p = bpf_task_from_pid(pid);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, 0);
	bpf_task_release(p);
}

SEC(".struct_ops.link")
struct sched_ext_ops hb_ops = {
	.select_cpu	= (void *)hb_select_cpu,
	.enqueue	= (void *)hb_enqueue,
	.dispatch	= (void *)hb_dispatch,
	.timeout_ms	= 5000,
	.name		= "v_null_task",
};
