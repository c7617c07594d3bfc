/* SPDX-License-Identifier: GPL-2.0-only */
/* The queue comes out of an array, or of a task's storage; both branches insert. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "Dual BSD/GPL";

#define NR_Q 4
enum queue { Q_URGENT = 10, Q_NORMAL, Q_BATCH, Q_IDLE };
static const u64 queue_ids[NR_Q] = { Q_URGENT, Q_NORMAL, Q_BATCH, Q_IDLE };

struct tctx { u64 dsq; u64 ran; struct bpf_cpumask __kptr *allowed; };
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tctx);
} tctxs SEC(".maps");

static u64 budget[NR_Q];

static inline int class_of(const struct task_struct *p)
{
	return p->scx.weight > 400 ? 0 : p->scx.weight >= 100 ? 1 : p->scx.weight > 10 ? 2 : 3;
}

SEC("struct_ops/select_cpu")
s32 BPF_PROG(ba_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	return cpu;
}

SEC("struct_ops/enqueue")
void BPF_PROG(ba_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct tctx *t = bpf_task_storage_get(&tctxs, p, NULL, 0);
	u64 slice = t && t->ran > 1000000 ? 4000000 : 2000000;
	int c = class_of(p);
	s32 cpu;

	if (t != NULL)
		t->dsq = queue_ids[c & (NR_Q - 1)];
	(t && t->dsq) ? scx_bpf_dsq_insert(p, t->dsq, slice, enq_flags)
		      : scx_bpf_dsq_insert(p, Q_NORMAL, slice, enq_flags);
	cpu = scx_bpf_pick_any_cpu(p->cpus_ptr, 0);
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

SEC("struct_ops/dispatch")
void BPF_PROG(ba_dispatch, s32 cpu, struct task_struct *prev)
{
	int i;

	for (i = 0; i < NR_Q; i++) {
		if (budget[i] == 0)
			continue;
		__sync_fetch_and_sub(&budget[i], 1);
		if (scx_bpf_dsq_move_to_local(queue_ids[i]))
			return;
	}
	for (i = 0; i < NR_Q; i++) {
		budget[i] = 8 >> i;
		if (scx_bpf_dsq_move_to_local(queue_ids[i]))
			return;
	}
}

SEC("struct_ops/stopping")
void BPF_PROG(ba_stopping, struct task_struct *p, bool runnable)
{
	struct tctx *t;

	t = bpf_task_storage_get(&tctxs, p, NULL, 0);
	if (t == NULL)
		return;
	t->ran += SCX_SLICE_DFL - p->scx.slice;
}

SEC("struct_ops.s/init_task")
s32 BPF_PROG(ba_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct bpf_cpumask *mask, *old;
	struct tctx *t = bpf_task_storage_get(&tctxs, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return -12;
	if (!(mask = bpf_cpumask_create()))
		return -12;
	bpf_cpumask_copy(mask, p->cpus_ptr);
	old = bpf_kptr_xchg(&t->allowed, mask);
	if (old)
		bpf_cpumask_release(old);
	return 0;
}

SEC("struct_ops.s/init")
s32 BPF_PROG(ba_init)
{
	int i, err = 0;

	for (i = 0; i < NR_Q; i++)
		if ((err = scx_bpf_create_dsq(queue_ids[i], -1)))
			break;
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops by_array_ops = {
	.select_cpu = (void *)ba_select_cpu,
	.enqueue = (void *)ba_enqueue,
	.dispatch = (void *)ba_dispatch,
	.stopping = (void *)ba_stopping,
	.init_task = (void *)ba_init_task,
	.init = (void *)ba_init,
	.timeout_ms = 4000,
	.name = "by.array",
};
