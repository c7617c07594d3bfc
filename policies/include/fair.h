/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A weighted fair queue: every task carries a virtual time that grows with the CPU time it uses, slower for heavier
 * tasks (nice below 0), and the task with the smallest virtual time is served first. Most policies use it, for all
 * tasks or for those they have nothing better to say about. What ends in _at is for those with several such queues.
 */
#ifndef SCHEDOPS_FAIR_H
#define SCHEDOPS_FAIR_H

#include "schedops.h"

/* Lives in task storage and not in p->scx.dsq_vtime, because every insert by virtual time overwrites that. */
struct fair_task {
	u64 vtime;
	u64 started_ns;
};

/* The largest virtual time of any task that got to run. A race between CPUs costs a little accuracy and no more. */
static u64 fair_now;

/* A task joins: it starts level with the others, neither owed nor owing. */
static __always_inline void fair_join_at(u64 now, struct fair_task *t)
{
	t->vtime = now;
	t->started_ns = bpf_ktime_get_ns();
}

static __always_inline void fair_join(struct fair_task *t)
{
	fair_join_at(fair_now, t);
}

/*
 * How far ahead of the others a task may get: what a turn of 5 ms costs the lightest one (weight 15 at nice 19), and a
 * little. Who ran for long while nobody else wanted the CPU owes nobody for it: a tenth of a second of that would be 7 s
 * at nice 19, and the watchdog ends the policy while it waits for the others to catch up.
 */
#define FAIR_LEAD_NS (400 * NSEC_PER_MSEC)

/* The place in the queue. Who slept for long does not hoard more than credit_ns, or it could keep the CPU for as long. */
static __always_inline u64 fair_key_at(u64 now, struct fair_task *t, u64 credit_ns)
{
	if (before(t->vtime, now - credit_ns))
		t->vtime = now - credit_ns;
	if (before(now + FAIR_LEAD_NS, t->vtime))
		t->vtime = now + FAIR_LEAD_NS;
	return t->vtime;
}

static __always_inline u64 fair_key(struct fair_task *t, u64 credit_ns)
{
	return fair_key_at(fair_now, t, credit_ns);
}

/*
 * A task gets to run. One that woke up on an idle CPU went past the queue and has never asked for its place: with what it
 * saved up in a long sleep it would be ahead of everybody when its slice ends, and go on for as long as it had slept.
 */
static __always_inline void fair_running_at(u64 *now, struct fair_task *t, u64 credit_ns)
{
	u64 key = fair_key_at(*now, t, credit_ns);

	t->started_ns = bpf_ktime_get_ns();
	if (before(*now, key))
		*now = key;
}

static __always_inline void fair_running(struct fair_task *t, u64 credit_ns)
{
	fair_running_at(&fair_now, t, credit_ns);
}

/* Charge the task for what it ran since it was last charged. Returns that time in nanoseconds. */
static __always_inline u64 fair_charge(struct task_struct *p, struct fair_task *t)
{
	u64 now = bpf_ktime_get_ns();
	u64 ran_ns = now - t->started_ns;
	u32 weight = p->scx.weight;

	t->vtime += ran_ns * WEIGHT_NICE_0 / (weight ? weight : 1);
	t->started_ns = now;
	return ran_ns;
}

#endif /* SCHEDOPS_FAIR_H */
