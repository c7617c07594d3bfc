/* SPDX-License-Identifier: GPL-2.0 */
/* Weighted virtual time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

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
	return (bpf_ktime_get_ns() - t->on) * 100 / (p->scx.weight > 100 ? p->scx.weight : 100);
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

s32 OP(cb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(cb_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 v = p->scx.dsq_vtime;

	if ((s64)(v - (vnow - SLICE_NS)) < 0)
		v = vnow - SLICE_NS;
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SLICE_NS, v, enq_flags);
}

void OP(cb_dispatch, s32 cpu, struct task_struct *prev)
{
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED) &&
	    leads(prev->scx.dsq_vtime + charge(prev), cpu)) {
		prev->scx.slice = SLICE_NS;
		return;
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(cb_running, struct task_struct *p)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t)
		t->on = bpf_ktime_get_ns();
	if ((s64)(p->scx.dsq_vtime - vnow) > 0)
		vnow = p->scx.dsq_vtime;
}

void OP(cb_stopping, struct task_struct *p, bool runnable)
{
	p->scx.dsq_vtime += charge(p);
}

void OP(cb_enable, struct task_struct *p)
{
	p->scx.dsq_vtime = vnow;
}

s32 OP_S(cb_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops cb_ops = {
	.select_cpu	= (void *)cb_select_cpu,
	.enqueue	= (void *)cb_enqueue,
	.dispatch	= (void *)cb_dispatch,
	.running	= (void *)cb_running,
	.stopping	= (void *)cb_stopping,
	.enable	= (void *)cb_enable,
	.init		= (void *)cb_init,
	.timeout_ms	= 5000,
	.name		= "u_only_heavy",
};
