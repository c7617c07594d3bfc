/* SPDX-License-Identifier: GPL-2.0-only */
/* Cgroups: what a cgroup weighs on one CPU, and entities up and down the hierarchy. */
#include "eevdf.h"

/* update_tg_load_avg(): at most every ms, and when it changed by more than 1/64. */
static void tell_cgroup(struct fair_queue *q)
{
	u64 load = q->avg.load, change = load > q->told ? load - q->told : q->told - load;

	if (clock_ns - q->told_at < MSEC && q->told_at)
		return;
	if (change * 64 <= q->told && load)
		return;
	fair_loads[q->cgroup] += load - q->told;
	q->told = load;
	q->told_at = clock_ns;
}

/* calc_group_shares(): the cgroup's weight, divided by its load on this CPU and everywhere. */
static u64 shares_on(const struct fair_queue *q)
{
	u64 all = fair_shares[q->cgroup], load = q->load >> 10, total, shares;

	if (load < q->avg.load)
		load = q->avg.load;
	total = fair_loads[q->cgroup] - q->told + load;
	shares = total ? all * load / total : all;
	return shares < FAIR_MIN_SHARES ? FAIR_MIN_SHARES : shares > all ? all : shares;
}

/* update_cfs_group() */
static void update_shares(struct fair_entity *e)
{
	u64 weight;

	if (!e->mine || !e->mine->load)
		return;
	avg_update_queue(e->mine);
	tell_cgroup(e->mine);
	weight = shares_on(e->mine);
	if (weight != e->weight)
		reweight(e, weight);
}

/* enqueue_task_fair(): the entity, and those above it that were not there. */
static void enter_all(struct fair_entity *e, int is_new)
{
	for (; e && !e->queued; e = e->parent) {
		update_shares(e);
		enter(e->queue, e, is_new);
		is_new = 0;
	}
	if (e && e->delayed)
		wake_delayed(e);
	for (; e; e = e->parent)
		update_shares(e);
}

/* dequeue_entities(): the entity, and those above it that have nothing left in them. */
static void leave_all(struct fair_entity *e, int sleeps, int final)
{
	for (; e; e = e->parent) {
		if (!leave(e->queue, e, sleeps, final))
			break;
		sleeps = 1;
		final = 0;
		if (e->queue->nr)
			break;
	}
	for (e = e ? e->parent : NULL; e; e = e->parent)
		update_shares(e);
}

/* sched_balance_update_blocked_averages(): what is left of cgroups that have nothing on this CPU now fades. */
static void fade_blocked(struct fair_rq *rq)
{
	rq->blocked_at = clock_ns;
	for (u32 cgroup = 1; cgroup < nr_cgroups; cgroup++) {
		struct fair_queue *q = fair_queue_of(cgroup, rq->cpu->id);

		if (!q->told || q->nr)
			continue;
		avg_update_queue(q);
		tell_cgroup(q);
	}
}

/* update_cfs_rq_h_load(): what the queue adds to the load of its CPU. */
static u64 h_load(struct fair_queue *q)
{
	if (!q->owner)
		return q->avg.load;
	avg_update_owner(q);
	return h_load(q->owner->queue) * q->own.load / (q->owner->queue->avg.load + 1);
}

/* task_h_load(): what the task adds to the load of its CPU, through its cgroups. */
static u64 task_h_load(struct task *p)
{
	struct fair_queue *q = fair_of(p)->e.queue;

	return (u64)fair_of(p)->avg.load * h_load(q) / (q->avg.load + 1);
}

/* A queue and an entity for each cgroup on each CPU (alloc_fair_sched_group()). */
static void group_init(void)
{
	u64 owners = (u64)nr_cgroups * machine.nr_cpus;

	fair_queues = alloc(owners * sizeof(*fair_queues));
	fair_owners = alloc(owners * sizeof(*fair_owners));
	fair_shares = alloc(nr_cgroups * sizeof(*fair_shares));
	fair_loads = alloc(nr_cgroups * sizeof(*fair_loads));
	for (u64 i = 0; i < owners; i++) {
		u32 cgroup = i / machine.nr_cpus, cpu = i % machine.nr_cpus;
		struct fair_queue *q = &fair_queues[i];
		struct fair_entity *e = &fair_owners[i];

		q->rq = &fair_rqs[cpu];
		q->cgroup = cgroup;
		if (cgroups[cgroup].parent < 0)
			continue;
		q->owner = e;
		e->mine = q;
		e->heap = random_next(&fair_random);
		e->queue = fair_queue_of(cgroups[cgroup].parent, cpu);
		e->parent = cgroups[cgroups[cgroup].parent].parent < 0 ? NULL :
			    &fair_owners[(u64)cgroups[cgroup].parent * machine.nr_cpus + cpu];
		/* sched_weight_from_cgroup(), kernel/sched/core.c: cpu.weight 100 is a task of nice 0 */
		fair_shares[cgroup] = (u64)cgroups[cgroup].weight * 1024 / 100 << 10;
		e->weight = fair_shares[cgroup];
	}
}
