/* SPDX-License-Identifier: GPL-2.0-only */
/* Cores run tasks of one cgroup at a time; queues of pids per cgroup, waiting CPUs are kicked. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_QUEUED 1024
const volatile u32 nr_cpu_ids = 1;
const volatile s32 RESIZABLE_ARRAY(rodata, pair_cpu);
struct pair_ctx { struct bpf_spin_lock lock; u64 cgid; u32 active_mask; bool draining; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, u32); __type(value, struct pair_ctx); } pair_ctx SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, u64); __type(value, u64); } cgrp_busy SEC(".maps");
struct cgrp_q { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, MAX_QUEUED); __type(value, u32); };
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 64); __type(key, s32); __array(values, struct cgrp_q); } cgrp_q_arr SEC(".maps");

void BPF_STRUCT_OPS(pr_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgrp;
	struct cgrp_q *cgq;
	s32 pid = p->pid;
	u64 cgid;
	u32 *q_idx;

	cgrp = scx_bpf_task_cgroup(p);
	cgid = cgrp->kn->id;
	bpf_cgroup_release(cgrp);
	q_idx = bpf_map_lookup_elem(&cgrp_busy, &cgid);
	if (!q_idx) {
		scx_bpf_error("no q_idx");
		return;
	}
	cgq = bpf_map_lookup_elem(&cgrp_q_arr, q_idx);
	if (!cgq) {
		scx_bpf_error("no queue");
		return;
	}
	if (bpf_map_push_elem(cgq, &pid, 0)) {
		scx_bpf_error("cgroup queue overflow");
		return;
	}
}

static int lookup_pairc_and_mask(s32 cpu, struct pair_ctx **pairc, u32 *mask)
{
	u32 *vptr;

	vptr = (u32 *)ARRAY_ELEM_PTR(pair_cpu, cpu, nr_cpu_ids);
	if (!vptr)
		return -EINVAL;
	*pairc = bpf_map_lookup_elem(&pair_ctx, vptr);
	if (!(*pairc))
		return -EINVAL;
	*mask = 1U << (*vptr & 31);
	return 0;
}

static int try_dispatch(s32 cpu)
{
	struct pair_ctx *pairc;
	struct task_struct *p;
	struct cgrp_q *cgq;
	bool kick_pair = false;
	u32 in_pair_mask;
	s32 pid, q = 0;
	int ret;

	ret = lookup_pairc_and_mask(cpu, &pairc, &in_pair_mask);
	if (ret) {
		scx_bpf_error("failed to look up pair");
		return -ENOENT;
	}
	bpf_spin_lock(&pairc->lock);
	pairc->active_mask &= ~in_pair_mask;
	if (pairc->draining) {
		bpf_spin_unlock(&pairc->lock);
		return -EBUSY;
	}
	pairc->active_mask |= in_pair_mask;
	bpf_spin_unlock(&pairc->lock);
	cgq = bpf_map_lookup_elem(&cgrp_q_arr, &q);
	if (!cgq) {
		scx_bpf_error("failed to look up queue");
		return -ENOENT;
	}
	if (bpf_map_pop_elem(cgq, &pid))
		return -EAGAIN;
	p = bpf_task_from_pid(pid);
	if (p) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	} else {
		return -EAGAIN;
	}
	if (kick_pair) {
		s32 *pair = (s32 *)ARRAY_ELEM_PTR(pair_cpu, cpu, nr_cpu_ids);

		if (pair)
			scx_bpf_kick_cpu(*pair, SCX_KICK_PREEMPT);
	}
	return 0;
}

void BPF_STRUCT_OPS(pr_dispatch, s32 cpu, struct task_struct *prev)
{
	bpf_repeat(BPF_MAX_LOOPS) {
		if (try_dispatch(cpu) != -EAGAIN)
			break;
	}
}

void BPF_STRUCT_OPS(pr_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	struct pair_ctx *pairc;
	u32 in_pair_mask;

	if (lookup_pairc_and_mask(cpu, &pairc, &in_pair_mask))
		return;
	scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT | SCX_KICK_WAIT);
	__sync_fetch_and_add(&pairc->cgid, 1);
}

SCX_OPS_DEFINE(pr_ops, .enqueue = (void *)pr_enqueue, .dispatch = (void *)pr_dispatch,
	       .cpu_release = (void *)pr_cpu_release, .timeout_ms = 30000, .name = "pairs");
