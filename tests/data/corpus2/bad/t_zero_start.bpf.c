/* SPDX-License-Identifier: GPL-2.0 */
/* Virtual time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u64 vnow = 1ULL << 40;

struct task_ctx {
	u64 on;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(bg_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(bg_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SLICE_NS, p->scx.dsq_vtime, enq_flags);
}

void OP(bg_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(bg_running, struct task_struct *p)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t)
		t->on = bpf_ktime_get_ns();
}

void OP(bg_stopping, struct task_struct *p, bool runnable)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);

	if (t)
		p->scx.dsq_vtime += (bpf_ktime_get_ns() - t->on) * 100 / (p->scx.weight ?: 1);
}

s32 OP_S(bg_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!args->fork)
		p->scx.dsq_vtime = vnow;
	return 0;
}

void OP(bg_enable, struct task_struct *p)
{
	if (p->scx.dsq_vtime < vnow)
		p->scx.dsq_vtime = 0;
}

s32 OP_S(bg_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops bg_ops = {
	.select_cpu	= (void *)bg_select_cpu,
	.enqueue	= (void *)bg_enqueue,
	.dispatch	= (void *)bg_dispatch,
	.running	= (void *)bg_running,
	.stopping	= (void *)bg_stopping,
	.init_task	= (void *)bg_init_task,
	.enable	= (void *)bg_enable,
	.init		= (void *)bg_init,
	.timeout_ms	= 30000,
	.name		= "t_zero_start",
};
