/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with per-task state. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

struct task_ctx {
	u64 nr_queued;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(aj_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(aj_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);

	if (!t)
		return;
	t->nr_queued++;
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(aj_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(aj_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (args->fork)
		return 0;
	return bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -12;
}

s32 OP_S(aj_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops aj_ops = {
	.select_cpu	= (void *)aj_select_cpu,
	.enqueue	= (void *)aj_enqueue,
	.dispatch	= (void *)aj_dispatch,
	.init_task	= (void *)aj_init_task,
	.init		= (void *)aj_init,
	.timeout_ms	= 5000,
	.name		= "s_forked",
};
