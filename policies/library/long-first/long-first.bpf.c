/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long-first: of the jobs that hints know, the long ones first, the others in order of submission, each run to
 * completion; everything else by weighted virtual time.
 *
 * Whether a batch ends early depends on when its long job starts, and no scheduler can tell a long job by watching:
 * by the time it has run longer than the others, they are done. What history says about it (its hint) is known at the
 * start. Long jobs first shortens the batch; running the short ones to completion, one after the other instead of all
 * together, brings most results much earlier at no cost.
 *
 * Jobs wait in one queue ordered by
 *
 *	key = time of enqueueing + wait by place      (a short job)
 *	key = time of enqueueing - head start         (a long job)
 *
 * where the place is the number of short jobs before it that are not done. Both terms are bounded: while long jobs could use
 * every CPU, a short one still gets a slice every head_start_ms + max_wait_ms at the latest. Tasks without a hint and
 * the jobs share the machine evenly when both could fill it.
 *
 * Without any hint the policy is weighted-vtime, but for one thing: of tasks that only compute, one goes on for about
 * plain_turn_ms before the next one's turn. Where all take turns often, all of them end late. Who wakes up waits for no
 * such turn.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define PLAIN_DSQ 1ULL
#define JOB_DSQ	  2ULL

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)
/* What a queue may save up while it has no task. */
#define QUEUE_CREDIT_NS (20 * NSEC_PER_MSEC)
#define LATELY_NS	 (1000 * NSEC_PER_MSEC)

const volatile u64 slice_us = 5000;
const volatile u64 first_turn_us = 1000;
const volatile u64 long_ms = 0;
const volatile u64 long_percent = 250;
const volatile u64 head_start_ms = 300;
const volatile u64 max_wait_ms = 1200;
const volatile u64 plain_turn_ms = 40;

struct exit_record exit_record;

HINTS_MAP;

struct lf_task {
	struct fair_task fair;
	u64 used_ns;  /* CPU time since the policy knows the task */
	u64 hint_ns;  /* as first seen; 0: not a job */
	u64 place;    /* number in order of submission, short jobs only, from 1 */
	bool is_long; /* once long, long until it ends */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lf_task);
} tasks SEC(".maps");

/* The jobs alive now: what is long is measured against their mean. */
static u64 jobs_alive;
static u64 hints_alive_ns;
/* Short jobs that were given a place, and those of them that ended: the difference orders those between. */
static u64 places_given;
static u64 places_done;

/* CPU time that each queue's tasks used; the queue that used less is served first. */
static u64 plain_used_ns;
static u64 jobs_used_ns;

/* The largest weight of a plain task that ran lately. */
static u64 heaviest;
static u64 heaviest_ns;

static __always_inline struct lf_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline bool long_by_hint(u64 expected_ns)
{
	if (long_ms)
		return expected_ns >= long_ms * NSEC_PER_MSEC;
	/* expected > percent of the mean, without the division */
	return jobs_alive && expected_ns / 100 * jobs_alive > hints_alive_ns / 10000 * long_percent;
}

static __always_inline void give_back_place(struct lf_task *t)
{
	if (t->place)
		__sync_fetch_and_add(&places_done, 1);
	t->place = 0;
}

/* Take note of a task's hint as soon as there is one. A later change of the hint changes nothing. */
static __always_inline void learn(struct task_struct *p, struct lf_task *t)
{
	if (!t->hint_ns) {
		t->hint_ns = hint_ns(p);
		if (!t->hint_ns)
			return;
		__sync_fetch_and_add(&jobs_alive, 1);
		__sync_fetch_and_add(&hints_alive_ns, t->hint_ns);
	}
	if (!t->is_long && long_by_hint(t->hint_ns)) {
		t->is_long = true;
		give_back_place(t);
	}
	if (!t->is_long && !t->place)
		t->place = __sync_fetch_and_add(&places_given, 1) + 1;
}

static __always_inline u64 job_key(struct lf_task *t, u64 now)
{
	u64 done = places_done;
	/* Exact while jobs end in order; otherwise a little small for all, which keeps them in order. */
	u64 rank = t->place > done + 1 ? t->place - done - 1 : 0;

	if (t->is_long)
		return now - head_start_ms * NSEC_PER_MSEC;
	return now + max_wait_ms * NSEC_PER_MSEC * rank / (rank + 1);
}

static __always_inline u64 slice_ns(struct lf_task *t)
{
	/* New: short, so that a launcher that has yet to hand over the hint does not wait behind everybody first. */
	bool turn = t->used_ns < first_turn_us * NSEC_PER_USEC;

	return (turn ? first_turn_us : slice_us) * NSEC_PER_USEC;
}

/*
 * A new task goes ahead of the plain queue's others for its first turn. Who just woke up is ahead of whoever has a turn
 * by as much as that turn is long at most.
 */
static __always_inline u64 plain_key(struct lf_task *t, u64 enq_flags)
{
	u64 key = fair_key(&t->fair, CREDIT_NS);
	u64 ahead_ns = plain_turn_ms * NSEC_PER_MSEC;

	if (t->used_ns < first_turn_us * NSEC_PER_USEC)
		return fair_now - CREDIT_NS - ahead_ns;
	return enq_flags & SCX_ENQ_WAKEUP ? key - ahead_ns : key;
}

/*
 * How far, in virtual time, a plain task may get ahead of the next one before that one's turn. Somebody w times as heavy
 * as nice 0 needs w times as much CPU time to catch up, and nobody is to wait for it that long: turns are shorter then.
 */
static __always_inline u64 plain_lead(void)
{
	u64 weight = heaviest > WEIGHT_NICE_0 ? heaviest : WEIGHT_NICE_0;

	return plain_turn_ms * NSEC_PER_MSEC * WEIGHT_NICE_0 / weight;
}

static __always_inline void note_weight(u64 weight, u64 now)
{
	if (weight < heaviest && before(now, heaviest_ns + LATELY_NS))
		return;
	heaviest = weight;
	heaviest_ns = now;
}

static __always_inline void charge(struct task_struct *p, struct lf_task *t)
{
	u64 ran_ns = fair_charge(p, &t->fair);

	t->used_ns += ran_ns;
	if (t->hint_ns) {
		__sync_fetch_and_add(&jobs_used_ns, ran_ns);
	} else {
		__sync_fetch_and_add(&plain_used_ns, ran_ns);
		note_weight(p->scx.weight, t->fair.started_ns);
	}
}

s32 OP(lf_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(lf_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct lf_task *t = task_of(p);

	if (t)
		learn(p, t);
	if (t && t->hint_ns)
		scx_bpf_dsq_insert_vtime(p, JOB_DSQ, slice_us * NSEC_PER_USEC, job_key(t, bpf_ktime_get_ns()), enq_flags);
	else
		scx_bpf_dsq_insert_vtime(p, PLAIN_DSQ, t ? slice_ns(t) : slice_us * NSEC_PER_USEC,
					 t ? plain_key(t, enq_flags) : fair_now, enq_flags);
	wake_idle_cpu(p);
}

/* Whose turn is it when both queues have tasks? A queue that was empty does not hoard the time it did not use. */
static __always_inline bool jobs_turn(void)
{
	u64 jobs = jobs_used_ns, plain = plain_used_ns;

	if (before(jobs + QUEUE_CREDIT_NS, plain))
		jobs_used_ns = plain - QUEUE_CREDIT_NS;
	if (before(plain + QUEUE_CREDIT_NS, jobs))
		plain_used_ns = jobs - QUEUE_CREDIT_NS;
	return before(jobs, plain);
}

/* May the task that used up its slice go on, or is somebody else due? */
static __always_inline bool goes_on(struct lf_task *t, s32 cpu, u64 now)
{
	if (t->hint_ns)
		return (!scx_bpf_dsq_nr_queued(PLAIN_DSQ) || jobs_turn()) && leads(JOB_DSQ, job_key(t, now), cpu);
	return (!scx_bpf_dsq_nr_queued(JOB_DSQ) || !jobs_turn()) && leads(PLAIN_DSQ, t->fair.vtime - plain_lead(), cpu);
}

void OP(lf_dispatch, s32 cpu, struct task_struct *prev)
{
	struct lf_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(prev, t);
		learn(prev, t);
		if (goes_on(t, cpu, bpf_ktime_get_ns())) {
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	/* The second attempt: what the first queue holds may not be allowed on this CPU, or there may be nothing. */
	if (jobs_turn()) {
		if (!scx_bpf_dsq_move_to_local(JOB_DSQ))
			scx_bpf_dsq_move_to_local(PLAIN_DSQ);
	} else if (!scx_bpf_dsq_move_to_local(PLAIN_DSQ)) {
		scx_bpf_dsq_move_to_local(JOB_DSQ);
	}
}

void OP(lf_running, struct task_struct *p)
{
	struct lf_task *t = task_of(p);

	if (!t)
		return;
	/* The plain queue's virtual time is of plain tasks only. */
	if (t->hint_ns)
		t->fair.started_ns = bpf_ktime_get_ns();
	else
		fair_running(&t->fair, CREDIT_NS);
}

void OP(lf_stopping, struct task_struct *p, bool runnable)
{
	struct lf_task *t = task_of(p);

	if (t)
		charge(p, t);
}

s32 OP_SLEEPABLE(lf_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(lf_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	struct lf_task *t = task_of(p);

	if (!t || !t->hint_ns)
		return;
	__sync_fetch_and_sub(&jobs_alive, 1);
	__sync_fetch_and_sub(&hints_alive_ns, t->hint_ns);
	give_back_place(t);
}

void OP(lf_enable, struct task_struct *p)
{
	struct lf_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(lf_init)
{
	s32 err;

	if (OUT_OF_RANGE(slice_us, 500, 20000) || first_turn_us > 20000 || long_ms > 86400000 ||
	    OUT_OF_RANGE(long_percent, 110, 10000) || head_start_ms > 1000 || max_wait_ms > 1500 ||
	    plain_turn_ms > 200)
		return -EINVAL;
	err = scx_bpf_create_dsq(PLAIN_DSQ, -1);
	return err ? err : scx_bpf_create_dsq(JOB_DSQ, -1);
}

void OP(lf_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops long_first_ops = {
	.select_cpu	= (void *)lf_select_cpu,
	.enqueue	= (void *)lf_enqueue,
	.dispatch	= (void *)lf_dispatch,
	.running	= (void *)lf_running,
	.stopping	= (void *)lf_stopping,
	.init_task	= (void *)lf_init_task,
	.exit_task	= (void *)lf_exit_task,
	.enable		= (void *)lf_enable,
	.init		= (void *)lf_init,
	.exit		= (void *)lf_exit,
	.timeout_ms	= 5000,
	.name		= "long_first",
};
