/* SPDX-License-Identifier: GPL-2.0 */
/* Weighted virtual time, written with macros of its own in the manner of sched-ext/scx. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define BPF_STRUCT_OPS(name, args...)           SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)
#define OP   BPF_STRUCT_OPS
#define OP_S BPF_STRUCT_OPS_SLEEPABLE

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u64 vnow;

struct task_ctx {
	u64 on;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

static u64 charge(struct task_struct *p)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);

	if (!t)
		return 0;
	return (bpf_ktime_get_ns() - t->on) * 100 / (p->scx.weight ?: 1);
}

static bool leads(u64 v, s32 cpu)
{
	struct task_struct *p;
	bool ahead = false;
	u32 seen = 0;

	bpf_for_each(scx_dsq, p, SHARED_DSQ, 0) {
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			ahead = (s64)(v - p->scx.dsq_vtime) < 0;
			break;
		}
		if (++seen >= 64)
			break;
	}
	return ahead;
}

s32 OP(ma_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ma_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 v = p->scx.dsq_vtime;

	if ((s64)(v - (vnow - SLICE_NS)) < 0)
		v = vnow - SLICE_NS;
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SLICE_NS, v, enq_flags);
}

void OP(ma_dispatch, s32 cpu, struct task_struct *prev)
{
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED) &&
	    leads(prev->scx.dsq_vtime + charge(prev), cpu)) {
		prev->scx.slice = SLICE_NS;
		return;
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(ma_running, struct task_struct *p)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t)
		t->on = bpf_ktime_get_ns();
	if ((s64)(p->scx.dsq_vtime - vnow) > 0)
		vnow = p->scx.dsq_vtime;
}

void OP(ma_stopping, struct task_struct *p, bool runnable)
{
	p->scx.dsq_vtime += charge(p);
}

void OP(ma_enable, struct task_struct *p)
{
	p->scx.dsq_vtime = vnow;
}

s32 OP_S(ma_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops ma_ops = {
	.select_cpu	= (void *)ma_select_cpu,
	.enqueue	= (void *)ma_enqueue,
	.dispatch	= (void *)ma_dispatch,
	.running	= (void *)ma_running,
	.stopping	= (void *)ma_stopping,
	.enable	= (void *)ma_enable,
	.init		= (void *)ma_init,
	.timeout_ms	= 5000,
	.name		= "scx_style",
};
