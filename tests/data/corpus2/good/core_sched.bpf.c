/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with an order for core scheduling. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

struct task_ctx {
	u64 queued_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(mg_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mg_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t)
		t->queued_ns = bpf_ktime_get_ns();
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(mg_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

bool OP(mg_core_sched_before, struct task_struct *a, struct task_struct *b)
{
	struct task_ctx *ta = bpf_task_storage_get(&tctxs, a, 0, 0);
	struct task_ctx *tb = bpf_task_storage_get(&tctxs, b, 0, 0);

	return ta && tb && (s64)(ta->queued_ns - tb->queued_ns) < 0;
}

s32 OP_S(mg_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mg_ops = {
	.select_cpu	= (void *)mg_select_cpu,
	.enqueue	= (void *)mg_enqueue,
	.dispatch	= (void *)mg_dispatch,
	.core_sched_before	= (void *)mg_core_sched_before,
	.init		= (void *)mg_init,
	.timeout_ms	= 5000,
	.name		= "core_sched",
};
