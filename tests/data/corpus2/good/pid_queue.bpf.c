/* SPDX-License-Identifier: GPL-2.0 */
/* A BPF queue of pids; what does not fit goes to the global queue. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SLICE_NS (5ULL * 1000 * 1000)
#define BATCH    4

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} fifo SEC(".maps");

s32 OP(mc_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mc_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&fifo, &pid, 0)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags);
		return;
	}
	if (!bpf_cpumask_test_cpu(scx_bpf_task_cpu(p), p->cpus_ptr))
		return;
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

void OP(mc_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	s32 pid;
	u32 i;

	bpf_for(i, 0, BATCH) {
		if (bpf_map_pop_elem(&fifo, &pid))
			return;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, 0);
		bpf_task_release(p);
	}
}

SEC(".struct_ops.link")
struct sched_ext_ops mc_ops = {
	.select_cpu	= (void *)mc_select_cpu,
	.enqueue	= (void *)mc_enqueue,
	.dispatch	= (void *)mc_dispatch,
	.timeout_ms	= 5000,
	.name		= "pid_queue",
};
