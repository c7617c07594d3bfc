/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with a slice by the cgroup's weight. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

struct group {
	u32 weight;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct group);
} groups SEC(".maps");

s32 OP(ml_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ml_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgrp = scx_bpf_task_cgroup(p);
	struct group *g = bpf_cgrp_storage_get(&groups, cgrp, 0, 0);
	u64 slice = SLICE_NS;

	if (g && g->weight > 100)
		slice = SLICE_NS * 2;
	bpf_cgroup_release(cgrp);
	scx_bpf_dsq_insert(p, SHARED_DSQ, slice, enq_flags);
}

void OP(ml_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(ml_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	struct group *g = bpf_cgrp_storage_get(&groups, cgrp, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!g)
		return -12;
	g->weight = args->weight;
	return 0;
}

void OP(ml_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	struct group *g = bpf_cgrp_storage_get(&groups, cgrp, 0, 0);

	if (g)
		g->weight = weight;
}

s32 OP_S(ml_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops ml_ops = {
	.select_cpu	= (void *)ml_select_cpu,
	.enqueue	= (void *)ml_enqueue,
	.dispatch	= (void *)ml_dispatch,
	.cgroup_init	= (void *)ml_cgroup_init,
	.cgroup_set_weight	= (void *)ml_cgroup_set_weight,
	.init		= (void *)ml_init,
	.timeout_ms	= 5000,
	.name		= "cgroup_slices",
};
