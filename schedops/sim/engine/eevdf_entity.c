/* SPDX-License-Identifier: GPL-2.0-only */
/* One queue: virtual time, lag, eligibility, deadlines, and which entity is next. */
#include "eevdf.h"

/* calc_delta_fair(): time in the virtual time of an entity of that weight. */
static inline u64 virtual(u64 ns, u64 weight)
{
	return weight == FAIR_NICE_0 ? ns : ns * FAIR_NICE_0 / weight;
}

/* scale_load_down() */
static inline u64 small(u64 weight)
{
	return weight >> 10 > 2 ? weight >> 10 : 2;
}

static inline s64 key_of(const struct fair_queue *q, const struct fair_entity *e)
{
	return (s64)(e->vruntime - q->zero);
}

/* __enqueue_entity() */
static void line_enter(struct fair_queue *q, struct fair_entity *e)
{
	q->sum += key_of(q, e) * (s64)small(e->weight);
	q->sum_weight += small(e->weight);
	line_insert(q, e);
}

/* __dequeue_entity() */
static void line_leave(struct fair_queue *q, struct fair_entity *e)
{
	line_remove(q, e);
	q->sum -= key_of(q, e) * (s64)small(e->weight);
	q->sum_weight -= small(e->weight);
}

/* The weighted sum with the current entity, which is not in the tree. */
static void sums_of(const struct fair_queue *q, s64 *sum, u64 *weight)
{
	*sum = q->sum;
	*weight = q->sum_weight;
	if (q->curr) {
		*sum += key_of(q, q->curr) * (s64)small(q->curr->weight);
		*weight += small(q->curr->weight);
	}
}

/*
 * avg_vruntime(): the virtual time of the queue, rounded down so that it is eligible itself. Its zero point follows
 * it, which keeps the products small (zero_vruntime, Linux 6.19; 6.18 follows min_vruntime, with the same sums).
 */
static u64 queue_time(struct fair_queue *q)
{
	s64 sum, delta;
	u64 weight;

	sums_of(q, &sum, &weight);
	if (!weight)
		return q->zero;
	if (sum < 0)
		sum -= (s64)weight - 1;
	delta = sum / (s64)weight;
	q->sum -= delta * (s64)q->sum_weight;
	q->zero += delta;
	return q->zero;
}

/* vruntime_eligible(): not served more than it ought to have been. */
static inline int eligible_at(const struct fair_queue *q, u64 vruntime, s64 sum, u64 weight)
{
	return sum >= (s64)(vruntime - q->zero) * (s64)weight;
}

static int eligible(const struct fair_queue *q, const struct fair_entity *e)
{
	s64 sum;
	u64 weight;

	sums_of(q, &sum, &weight);
	return eligible_at(q, e->vruntime, sum, weight);
}

/* update_entity_lag(): before it leaves. Delayed entities only get rid of negative lag (DELAY_ZERO). */
static void update_lag(struct fair_queue *q, struct fair_entity *e)
{
	s64 lag = queue_time(q) - e->vruntime;
	s64 limit = virtual(2 * fair_slice > machine.tick_ns ? 2 * fair_slice : machine.tick_ns, e->weight);

	lag = lag < -limit ? -limit : lag > limit ? limit : lag;
	if (e->delayed) {
		lag = lag > e->lag ? lag : e->lag;
		lag = lag < 0 ? lag : 0;
	}
	e->lag = lag;
}

/* place_entity(): with the lag it left with, inflated by what its own arrival takes from it. */
static void place(struct fair_queue *q, struct fair_entity *e, int is_new)
{
	u64 vslice = virtual(fair_slice, e->weight), time, load = q->sum_weight;
	s64 lag = 0;

	if (q->curr && q->curr != e)
		load += small(q->curr->weight);
	time = queue_time(q);
	if (load && e->lag)
		lag = e->lag * (s64)(load + small(e->weight)) / (s64)load;
	e->vruntime = time - lag;
	if (e->relative) {
		e->relative = 0;
		e->deadline += e->vruntime;
		return;
	}
	e->deadline = e->vruntime + (is_new ? vslice / 2 : vslice);
}

/* update_deadline(): a new request when this one is served. */
static int update_deadline(struct fair_entity *e)
{
	if ((s64)(e->vruntime - e->deadline) < 0)
		return 0;
	e->deadline = e->vruntime + virtual(fair_slice, e->weight);
	queue_time(e->queue); /* keeps the zero point near */
	return 1;
}

/* reweight_entity(), its load: as if it had had that weight all the time. */
static void reweight_load(struct fair_entity *e, u64 weight)
{
	struct fair_avg *a = e->mine ? &e->mine->own : &((struct fair_task *)e)->avg;

	if (e->mine)
		avg_update_owner(e->mine);
	if (e->queue)
		avg_update_queue(e->queue);
	avg_set_load(a, e->queue, weight >> 10, a->load_sum);
}

/* reweight_entity(): lag and the rest of the request keep their real size. */
static void reweight(struct fair_entity *e, u64 weight)
{
	struct fair_queue *q = e->queue;
	int current = q && q->curr == e;
	s64 protected = e->protected - e->vruntime;

	if (e->queued) {
		if (!e->delayed)
			update_lag(q, e);
		if (current)
			q->curr = NULL;
		else
			line_leave(q, e);
		e->deadline -= e->vruntime;
		e->relative = 1;
	}
	reweight_load(e, weight);
	if (e->queued)
		q->load -= e->weight;
	e->lag = e->lag * (s64)e->weight / (s64)weight;
	if (e->relative)
		e->deadline = (s64)e->deadline * (s64)e->weight / (s64)weight;
	protected = protected > 0 ? protected * (s64)e->weight / (s64)weight : protected;
	e->weight = weight;
	if (!e->queued)
		return;
	if (current && !q->tree) {
		e->relative = 0;
		e->deadline += e->vruntime;
		q->zero = e->vruntime;
	} else {
		place(q, e, 0);
	}
	e->protected = e->vruntime + protected;
	q->load += weight;
	if (current)
		q->curr = e;
	else
		line_enter(q, e);
}

/* set_protect_slice() with RUN_TO_PARITY: until its request is served (all requests have the same size here). */
static void protect(struct fair_entity *e)
{
	e->protected = e->deadline;
}

static int is_protected(const struct fair_entity *e)
{
	return (s64)(e->vruntime - e->protected) < 0;
}

/* pick_eevdf(): the eligible one with the earliest deadline; the current one while it is eligible and protected. */
static struct fair_entity *pick_eevdf(const struct fair_queue *q)
{
	struct fair_entity *best = NULL, *curr = q->curr, *e = q->tree;
	s64 sum;
	u64 weight;

	if (!e)
		return curr;
	sums_of(q, &sum, &weight);
	if (curr && !eligible_at(q, curr->vruntime, sum, weight))
		curr = NULL;
	if (curr && is_protected(curr))
		return curr;
	while (e) {
		if (e->left && eligible_at(q, e->left->min_vruntime, sum, weight)) {
			e = e->left;
			continue;
		}
		if (eligible_at(q, e->vruntime, sum, weight)) {
			best = e;
			break;
		}
		e = e->right;
	}
	if (!best || (curr && (s64)(curr->deadline - best->deadline) < 0))
		best = curr;
	return best;
}

/* enqueue_entity() */
static void enter(struct fair_queue *q, struct fair_entity *e, int is_new)
{
	avg_update_queue(q);
	if (e->mine)
		avg_update_owner(e->mine);
	place(q, e, is_new);
	q->load += e->weight;
	q->nr++;
	e->queued = 1;
	line_enter(q, e);
}

/* dequeue_entity(); final: it was delayed and is no longer. 0: it stays, delayed, until its lag is gone. */
static int leave(struct fair_queue *q, struct fair_entity *e, int sleeps, int final)
{
	if (sleeps && !final && !e->delayed && !eligible(q, e)) {
		update_lag(q, e);
		e->delayed = 1;
		return 0;
	}
	update_lag(q, e);
	avg_update_queue(q);
	if (e->mine)
		avg_update_owner(e->mine);
	line_leave(q, e);
	if (!sleeps) {
		e->deadline -= e->vruntime;
		e->relative = 1;
	}
	e->queued = e->delayed = 0;
	q->load -= e->weight;
	q->nr--;
	return 1;
}

/* requeue_delayed_entity(): what slept wakes up before its lag was gone; credit from that time is not kept. */
static void wake_delayed(struct fair_entity *e)
{
	struct fair_queue *q = e->queue;

	update_lag(q, e);
	e->delayed = 0;
	if (q->zero - e->lag == e->vruntime)
		return;
	line_leave(q, e);
	place(q, e, 0);
	line_enter(q, e);
}
