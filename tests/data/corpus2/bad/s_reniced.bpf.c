/* SPDX-License-Identifier: GPL-2.0 */
/* Two tiers, chosen when a weight is set. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define TIER(n)   (10ULL + (n))
#define NR_TIERS  3
#define NR_SERVED 2
#define SLICE_NS  (5ULL * 1000 * 1000)

struct task_ctx {
	u32 tier;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(am_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(am_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);
	u32 tier = t ? t->tier : 0;

	scx_bpf_dsq_insert(p, TIER(tier), SLICE_NS, enq_flags);
}

void OP(am_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, NR_SERVED) {
		if (scx_bpf_dsq_move_to_local(TIER(i)))
			return;
	}
}

void OP(am_set_weight, struct task_struct *p, u32 weight)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return;
	t->tier = weight >= 100 ? 0 : weight > 50 ? 1 : 2;
}

s32 OP_S(am_init)
{
	s32 err;
	u32 i;

	bpf_for(i, 0, NR_TIERS) {
		err = scx_bpf_create_dsq(TIER(i), -1);
		if (err)
			return err;
	}
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops am_ops = {
	.select_cpu	= (void *)am_select_cpu,
	.enqueue	= (void *)am_enqueue,
	.dispatch	= (void *)am_dispatch,
	.set_weight	= (void *)am_set_weight,
	.init		= (void *)am_init,
	.timeout_ms	= 5000,
	.name		= "s_reniced",
};
