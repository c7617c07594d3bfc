/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * smt-aware: whole cores first.
 *
 * Two tasks on the two threads of a core get perhaps 1.3 times what one gets; on two cores they get twice as much. So as
 * long as there is a core with nothing on it, no other should do two things. When a task wakes up that is easily seen
 * to. It is forgotten when a core becomes free later: tasks that never sleep then stay in pairs beside idle cores.
 *
 * Who had to share a core is remembered. When its slice ends and nobody waits, it does not simply go on: if there is
 * a whole core by now, it moves there. The one that had the core before stays, so not both of them move. Which CPUs are
 * siblings need not be known for that: it is enough that the kernel can name a core that idles as a whole.
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
	s32 next;    /* 1 + the CPU that is kept for it to move to; 0: none */
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

/* Some CPU idled and no core did as a whole: so cores have more than one thread here. */
static bool threads_share;

s32 OP(sa_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct sa_task *t = task_of(p);
	s32 cpu = scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, SCX_PICK_IDLE_CORE);
	bool whole = cpu >= 0, idle = whole;

	if (!whole)
		cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	if (idle && !whole)
		threads_share = true;
	if (t)
		t->shares = !whole;
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

/* An idle CPU that may run it looks into the queue; one of a whole core if there is one. */
static __always_inline void wake_whole_core(struct task_struct *p)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);

	if (cpu < 0) {
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
		if (cpu < 0)
			return;
		threads_share = true;
	}
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void OP(sa_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct sa_task *t = task_of(p);
	s32 cpu = t ? t->next - 1 : -1;

	if (t && t->next) {
		t->next = 0;
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			t->shares = false;
			scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, slice_us * NSEC_PER_USEC, enq_flags);
			return;
		}
	}
	/* No CPU idles, so whichever takes it will hardly have a core for itself. */
	if (t)
		t->shares = true;
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC,
				 t ? fair_key(&t->fair, CREDIT_NS) : fair_now, enq_flags);
	wake_whole_core(p);
	/* The last one of a CPU that is about to idle: it has to look once more. */
	if (enq_flags & SCX_ENQ_LAST)
		scx_bpf_kick_cpu(scx_bpf_task_cpu(p), 0);
}

/* Nobody waits, and the task shares its core as far as is known: is there a whole one to move to? It is kept then. */
static __always_inline bool moves(struct task_struct *prev, struct sa_task *t)
{
	if (!threads_share || !t->shares || scx_bpf_dsq_nr_queued(SHARED_DSQ))
		return false;
	t->next = 1 + scx_bpf_pick_idle_cpu(prev->cpus_ptr, SCX_PICK_IDLE_CORE);
	if (t->next > 0)
		return true;
	t->next = 0;
	return false;
}

void OP(sa_dispatch, s32 cpu, struct task_struct *prev)
{
	struct sa_task *t = wants_more(prev) ? task_of(prev) : NULL;

	if (t) {
		fair_charge(prev, &t->fair);
		/* The kernel enqueues it once more (SCX_OPS_ENQ_LAST), and there it moves. */
		if (moves(prev, t))
			return;
		if (leads(SHARED_DSQ, t->fair.vtime, cpu)) {
			fair_running(&t->fair, CREDIT_NS);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	if (!scx_bpf_dsq_move_to_local(SHARED_DSQ) && t)
		set_slice(prev, slice_us * NSEC_PER_USEC);
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
