/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * smt-aware: whole cores first.
 *
 * Two tasks on the two threads of a core get perhaps 1.3 times what one gets; on two cores they get twice as much. So as
 * long as there is a core with nothing on it, no other should do two things. When a task wakes up that is easily seen
 * to. It is forgotten when a core becomes free later: tasks that never sleep then stay in pairs beside idle cores.
 *
 * Who had to share a core is remembered. When its slice ends and nobody waits, it does not simply go on: if there is
 * a whole core by now, it moves there. The one that had the core before stays, so not both of them move.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 slice_us = 4000;

struct exit_record exit_record;

struct sa_task {
	struct fair_task fair;
	bool shares; /* it was not given a whole core */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sa_task);
} tasks SEC(".maps");

static __always_inline struct sa_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline void note(struct task_struct *p, bool shares)
{
	struct sa_task *t = task_of(p);

	if (t)
		t->shares = shares;
}

s32 OP(sa_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, SCX_PICK_IDLE_CORE);
	bool whole = cpu >= 0, idle = whole;

	if (!whole)
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	note(p, !whole);
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(sa_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct sa_task *t = task_of(p);
	s32 cpu;

	if (t && t->shares) {
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);
		if (cpu >= 0) {
			t->shares = false;
			scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, slice_us * NSEC_PER_USEC, enq_flags);
			return;
		}
	}
	if (enq_flags & SCX_ENQ_LAST) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, enq_flags);
		return;
	}
	note(p, true);
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC,
				 t ? fair_key(&t->fair, CREDIT_NS) : fair_now, enq_flags);
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	else
		wake_idle_cpu(p);
}

void OP(sa_dispatch, s32 cpu, struct task_struct *prev)
{
	struct sa_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, &t->fair);
		/* The last one of its CPU that shares a core is enqueued once more, to see whether another core is free. */
		if (leads(SHARED_DSQ, t->fair.vtime, cpu) && (!t->shares || scx_bpf_dsq_nr_queued(SHARED_DSQ))) {
			fair_running(&t->fair, CREDIT_NS);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(sa_running, struct task_struct *p)
{
	struct sa_task *t = task_of(p);

	if (t)
		fair_running(&t->fair, CREDIT_NS);
}

void OP(sa_stopping, struct task_struct *p, bool runnable)
{
	struct sa_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
}

s32 OP_SLEEPABLE(sa_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(sa_enable, struct task_struct *p)
{
	struct sa_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(sa_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000))
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(sa_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops smt_aware_ops = {
	.select_cpu	= (void *)sa_select_cpu,
	.enqueue	= (void *)sa_enqueue,
	.dispatch	= (void *)sa_dispatch,
	.running	= (void *)sa_running,
	.stopping	= (void *)sa_stopping,
	.init_task	= (void *)sa_init_task,
	.enable		= (void *)sa_enable,
	.init		= (void *)sa_init,
	.exit		= (void *)sa_exit,
	.flags		= SCX_OPS_ENQ_LAST,
	.timeout_ms	= 5000,
	.name		= "smt_aware",
};
