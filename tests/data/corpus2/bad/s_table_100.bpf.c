/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that remembers when a task was queued. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100);
	__type(key, s32);
	__type(value, u64);
} queued_at SEC(".maps");

s32 OP(af_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(af_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 now = bpf_ktime_get_ns();
	s32 pid = p->pid;
	u64 *at;

	bpf_map_update_elem(&queued_at, &pid, &now, BPF_ANY);
	at = bpf_map_lookup_elem(&queued_at, &pid);
	if (!at)
		return;
	scx_bpf_dsq_insert(p, SHARED_DSQ, *at == now ? SLICE_NS : SLICE_NS / 2, enq_flags);
}

void OP(af_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(af_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops af_ops = {
	.select_cpu	= (void *)af_select_cpu,
	.enqueue	= (void *)af_enqueue,
	.dispatch	= (void *)af_dispatch,
	.init		= (void *)af_init,
	.timeout_ms	= 5000,
	.name		= "s_table_100",
};
