/* SPDX-License-Identifier: GPL-2.0-only */
/* How much tasks and CPUs were runnable and running lately (kernel/sched/pelt.c, Linux 6.18). */
#include "eevdf.h"

#define AVG_MAX 47742 /* LOAD_AVG_MAX: 1024 us of every ms of eternity */

static u32 avg_inverse[32]; /* 2^32 * y^n with y^32 = 1/2 */

static void avg_init(void)
{
	avg_inverse[0] = 0xffffffff;
	for (u32 n = 1; n < 32; n++)
		avg_inverse[n] = (u64)avg_inverse[n - 1] * 0xfa83b2db >> 32;
}

/* decay_load(): value * y^periods. */
static u64 avg_decay(u64 value, u64 periods)
{
	u64 factor;

	if (periods > 32 * 63)
		return 0;
	value >>= periods / 32;
	factor = avg_inverse[periods % 32];
	return (value >> 32) * factor + ((value & 0xffffffff) * factor >> 32);
}

static void avg_add(struct fair_avg *a, u64 load, u64 running, u64 runnable, u64 us)
{
	a->load_sum += load * us;
	a->util_sum += running * us;
	a->runnable_sum += runnable * us;
}

/* accumulate_sum(), ___update_load_avg(): since it was last accounted, things were as given; weight: of an entity. */
static void avg_update(struct fair_avg *a, u64 weight, u64 load, u64 running, u64 runnable)
{
	u64 delta = (clock_ns - a->last) >> 10, total, periods, divider;

	if (!delta)
		return;
	a->last += delta << 10;
	total = a->part + delta;
	if (total < 1024) {
		a->part = total;
		avg_add(a, load, running, runnable, delta);
		return;
	}
	periods = total / 1024;
	a->load_sum = avg_decay(a->load_sum, periods);
	a->util_sum = avg_decay(a->util_sum, periods);
	a->runnable_sum = avg_decay(a->runnable_sum, periods);
	avg_add(a, load, running, runnable,
		avg_decay(1024 - a->part, periods) + AVG_MAX - avg_decay(AVG_MAX, periods) - 1024 + total % 1024);
	a->part = total % 1024;
	divider = AVG_MAX - 1024 + a->part;
	a->load = weight * a->load_sum / divider;
	a->util = a->util_sum / divider;
	a->runnable = a->runnable_sum / divider;
}

static u64 avg_running(const struct fair_rq *rq)
{
	return (u64)rq->cpu->capacity * rq->cpu->frequency / FULL;
}

/* To be called before a queue's load, or who runs, changes. */
static void avg_update_queue(struct fair_queue *q)
{
	if (clock_ns - q->avg.last < 1024)
		return;
	if (q->owner)
		avg_update(&q->avg, 1, q->load >> 10, 0, 0);
	else
		avg_update(&q->avg, 1, q->load >> 10, q->rq->curr ? avg_running(q->rq) : 0, (u64)q->rq->nr * 1024);
}

/* To be called before the task's state changes. What sleeps in its queue is load, but not runnable (se_runnable()). */
static void avg_update_task(struct task *p)
{
	struct fair_task *t = fair_of(p);
	struct fair_rq *rq = t->e.queue ? t->e.queue->rq : NULL;
	u64 runnable = t->e.queued && !t->e.delayed;

	if (clock_ns - t->avg.last >= 1024)
		avg_update(&t->avg, p->weight, t->e.queued, rq && rq->curr == p ? avg_running(rq) : 0, runnable * 1024);
}

/* To be called before the cgroup's entity on this CPU comes, goes or changes its weight. */
static void avg_update_owner(struct fair_queue *q)
{
	if (clock_ns - q->own.last >= 1024)
		avg_update(&q->own, q->owner->weight >> 10, q->owner->queued, 0, 0);
}

/*
 * add_positive(), sub_positive(): an average and its sum; PELT_MIN_DIVIDER: the least sum of such an average. What the
 * sum has gathered since the average was made stays ("Relax the sync of util_sum with util_avg", 5.17).
 */
static void avg_plus(u32 *average, u64 *sum, s64 by, u32 part)
{
	s64 after = (s64)*sum + by * (AVG_MAX - 1024 + part), least;

	*average = (s64)*average + by > 0 ? *average + by : 0;
	least = (s64)*average * (AVG_MAX - 1024);
	*sum = after > least ? after : least;
}

static void avg_shift(struct fair_avg *a, s64 load, s64 util, s64 runnable)
{
	avg_plus(&a->load, &a->load_sum, load, a->part);
	avg_plus(&a->util, &a->util_sum, util, a->part);
	avg_plus(&a->runnable, &a->runnable_sum, runnable, a->part);
}

/* Its load becomes that of another weight or sum, and so does its queue's (dequeue_load_avg(), enqueue_load_avg()). */
static void avg_set_load(struct fair_avg *a, struct fair_queue *q, u64 weight, u64 sum)
{
	u64 load = weight * sum / (AVG_MAX - 1024 + a->part);

	if (q)
		avg_shift(&q->avg, (s64)load - a->load, 0, 0);
	a->load_sum = sum;
	a->load = load;
}

/*
 * propagate_entity_load_avg(), update_tg_cfs_load(): what came to a cgroup's queue makes the cgroup's entity runnable,
 * what left it leaves the entity as runnable as the rest is on average (the bound by its utilisation is left out).
 */
static void avg_propagate(struct fair_queue *q, s64 sum)
{
	for (; q->owner; q = q->owner->queue) {
		u64 weight = q->load >> 10, left = weight ? q->avg.load_sum / weight : 0, most;

		avg_update_owner(q);
		avg_update_queue(q->owner->queue);
		most = AVG_MAX - 1024 + q->own.part;
		if (sum >= 0)
			left = q->own.load_sum + sum < most ? q->own.load_sum + sum : most;
		else if (left > q->own.load_sum)
			left = q->own.load_sum;
		avg_set_load(&q->own, q->owner->queue, q->owner->weight >> 10, left);
	}
}

static void avg_attach(struct fair_queue *q, const struct fair_avg *a, s64 sign)
{
	struct fair_queue *root = q->rq->root;

	avg_update_queue(q);
	avg_update_queue(root);
	if (q != root)
		avg_shift(&q->avg, sign * a->load, 0, 0);
	avg_shift(&root->avg, q == root ? sign * a->load : 0, sign * a->util, sign * a->runnable);
	avg_propagate(q, sign * (s64)a->load_sum);
}

/* attach_entity_load_avg(), detach_entity_load_avg(): what the task did goes where it goes. */
static void avg_move(struct task *p, struct fair_queue *from, struct fair_queue *to)
{
	if (from)
		avg_attach(from, &fair_of(p)->avg, -1);
	if (to)
		avg_attach(to, &fair_of(p)->avg, 1);
}

/* cpu_load(), cpu_util_cfs(): of an idle CPU they fade although nothing happens there. */
static u64 cpu_load(struct fair_rq *rq)
{
	if (clock_ns - rq->root->avg.last >= MSEC)
		avg_update_queue(rq->root);
	return rq->root->avg.load;
}

static u64 cpu_util(struct fair_rq *rq)
{
	return rq->root->avg.util < rq->cpu->capacity ? rq->root->avg.util : rq->cpu->capacity;
}

/* task_util_est() */
static u64 util_estimate(struct task *p)
{
	const struct fair_task *t = fair_of(p);

	return t->avg.util > t->estimate ? t->avg.util : t->estimate;
}

/* util_est_update(): rises at once, falls by a quarter of the difference. */
static void update_estimate(struct task *p)
{
	struct fair_task *t = fair_of(p);

	if (t->avg.util >= t->estimate)
		t->estimate = t->avg.util;
	else
		t->estimate -= (t->estimate - t->avg.util) / 4;
}

/* fits_capacity(): with a quarter more than that it would still fit. */
static int avg_fits(u64 util, u64 capacity)
{
	return util * 1280 < capacity * 1024;
}
