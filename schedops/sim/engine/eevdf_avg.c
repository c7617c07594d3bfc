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

/* accumulate_sum() and ___update_load_avg(): since it was last accounted, things were as given. */
static void avg_update(struct fair_avg *a, u64 load, u64 running, u64 runnable)
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
	a->load = a->load_sum / divider;
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
		avg_update(&q->avg, q->load >> 10, 0, 0);
	else
		avg_update(&q->avg, q->load >> 10, q->rq->curr ? avg_running(q->rq) : 0, (u64)q->rq->nr * 1024);
}

/* To be called before the task's state changes. */
static void avg_update_task(struct task *p)
{
	struct fair_task *t = fair_of(p);
	struct fair_rq *rq = t->e.queue ? t->e.queue->rq : NULL;
	u64 runnable = t->e.queued && !t->e.delayed;

	if (clock_ns - t->avg.last >= 1024)
		avg_update(&t->avg, runnable * p->weight, rq && rq->curr == p ? avg_running(rq) : 0, runnable * 1024);
}

static u32 avg_plus(u32 value, s64 by)
{
	return (s64)value + by > 0 ? value + by : 0;
}

static void avg_shift(struct fair_avg *a, s64 load, s64 util, s64 runnable)
{
	u64 divider = AVG_MAX - 1024 + a->part;

	a->load = avg_plus(a->load, load);
	a->util = avg_plus(a->util, util);
	a->runnable = avg_plus(a->runnable, runnable);
	a->load_sum = a->load * divider;
	a->util_sum = a->util * divider;
	a->runnable_sum = a->runnable * divider;
}

static void avg_attach(struct fair_queue *q, const struct fair_avg *a, s64 sign)
{
	struct fair_queue *root = q->rq->root;

	avg_update_queue(q);
	avg_update_queue(root);
	if (q != root)
		avg_shift(&q->avg, sign * a->load, 0, 0);
	avg_shift(&root->avg, q == root ? sign * a->load : 0, sign * a->util, sign * a->runnable);
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
