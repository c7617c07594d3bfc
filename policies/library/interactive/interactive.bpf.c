/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * interactive: weighted virtual time, with a head start for tasks that wake up often.
 *
 * A task that sleeps and wakes many times a second answers somebody: a user, a network peer, a pipe. Its queueing delay
 * is what others wait for, while it needs little CPU time. So its place in the queue is moved ahead by a little for
 * every wake-up per second, up to a cap. The head start is a constant offset in virtual time, not a discount: what the
 * task uses is charged in full, so a task that wakes often *and* computes much soon stands where the others stand, and
 * nobody can starve.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

/* How quickly the wake-up rate follows: a new interval counts one part in 2^RATE_SHIFT. */
#define RATE_SHIFT   2
#define NSEC_PER_SEC 1000000000ULL

const volatile u64 slice_us = 3000;
const volatile u64 boost_us = 100;
const volatile u64 max_boost_us = 20000;

struct exit_record exit_record;

struct ia_task {
	struct fair_task fair;
	u64 woke_ns;
	u64 interval_ns; /* smoothed time between two wake-ups */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ia_task);
} tasks SEC(".maps");

static __always_inline struct ia_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline u64 boost_ns(struct ia_task *t)
{
	u64 awake_ns = bpf_ktime_get_ns() - t->woke_ns;
	/* Who has stopped sleeping has stopped being interactive, whatever it did before. */
	u64 interval_ns = awake_ns > t->interval_ns ? awake_ns : t->interval_ns;
	u64 boost = NSEC_PER_SEC / (interval_ns + 1) * boost_us;

	return (boost < max_boost_us ? boost : max_boost_us) * NSEC_PER_USEC;
}

s32 OP(ia_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(ia_runnable, struct task_struct *p, u64 enq_flags)
{
	struct ia_task *t = task_of(p);
	u64 now = bpf_ktime_get_ns();

	if (!t)
		return;
	t->interval_ns += ((now - t->woke_ns) >> RATE_SHIFT) - (t->interval_ns >> RATE_SHIFT);
	t->woke_ns = now;
}

void OP(ia_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct ia_task *t = task_of(p);
	u64 key = fair_now;

	/* A sleeper keeps one slice of credit; what it may have beyond that is the boost. */
	if (t)
		key = fair_key(&t->fair, slice_us * NSEC_PER_USEC) - boost_ns(t);
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	wake_idle_cpu(p);
}

void OP(ia_dispatch, s32 cpu, struct task_struct *prev)
{
	struct ia_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, &t->fair);
		/* No boost here: a task that used up a slice is no longer answering anybody. */
		if (leads(SHARED_DSQ, t->fair.vtime, cpu)) {
			fair_running(&t->fair, slice_us * NSEC_PER_USEC);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(ia_running, struct task_struct *p)
{
	struct ia_task *t = task_of(p);

	if (t)
		fair_running(&t->fair, slice_us * NSEC_PER_USEC);
}

void OP(ia_stopping, struct task_struct *p, bool runnable)
{
	struct ia_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
}

s32 OP_SLEEPABLE(ia_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(ia_enable, struct task_struct *p)
{
	struct ia_task *t = task_of(p);

	if (!t)
		return;
	fair_join(&t->fair);
	t->woke_ns = bpf_ktime_get_ns();
	/* Nothing is known yet: as if it woke once a second. */
	t->interval_ns = NSEC_PER_SEC;
}

s32 OP_SLEEPABLE(ia_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000) || boost_us > 10000 || max_boost_us > 100000)
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(ia_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops interactive_ops = {
	.select_cpu	= (void *)ia_select_cpu,
	.runnable	= (void *)ia_runnable,
	.enqueue	= (void *)ia_enqueue,
	.dispatch	= (void *)ia_dispatch,
	.running	= (void *)ia_running,
	.stopping	= (void *)ia_stopping,
	.init_task	= (void *)ia_init_task,
	.enable		= (void *)ia_enable,
	.init		= (void *)ia_init,
	.exit		= (void *)ia_exit,
	.timeout_ms	= 5000,
	.name		= "interactive",
};
