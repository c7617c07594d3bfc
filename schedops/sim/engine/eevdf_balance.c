/* SPDX-License-Identifier: GPL-2.0-only */
/* When CPUs are balanced: from their ticks, idle ones from the ticks of busy ones, and when they get idle. */
#include "eevdf.h"

#define BUSY_FACTOR 16 /* sd_init(): busy_factor */
#define MAX_PINNED_INTERVAL (512 * MSEC)
/* What a newly idle CPU's look at one CPU costs (the kernel measures it: max_newidle_lb_cost). An assumption. */
#define NEWIDLE_COST 100

/* should_we_balance(): one CPU of the group does it for all, an idle one if there is one. */
static int my_turn(const struct balance *b)
{
	const struct fair_group *g = &b->domain->groups[b->level->local];

	if (b->idle == I_NEWLY)
		return 1;
	for (u32 i = 0; i < g->nr; i++) {
		if (fair_idle_cpu(g->cpus[i]))
			return g->cpus[i] == b->to->cpu->id;
	}
	return g->cpus[0] == b->to->cpu->id;
}

/* sched_balance_rq(), its end: what did not move now is tried harder. 1: the running task is to be pushed. */
static int note_failure(struct balance *b)
{
	if (b->idle != I_NEWLY)
		b->level->failed++;
	if (!wants_push(b))
		return 0;
	push_order(b);
	return 1;
}

/* sched_balance_rq(), redo: the next busiest one when all tasks of the busiest one are bound; from is NULL: balanced. */
static u32 try_all(struct balance *b)
{
	u32 moved = 0;

	for (;;) {
		b->from = find_group(b) ? find_rq(b) : NULL;
		if (!b->from || b->from == b->to) {
			b->from = NULL;
			break;
		}
		moved = move_tasks(b);
		if (!moved && b->instead >= 0) {
			b->to = &fair_rqs[b->instead];
			moved = move_tasks(b);
		}
		if (moved || !b->pinned)
			break;
		mask_set(&skipped, b->from->cpu->id);
		nr_skipped++;
		b->load = b->capacity = b->util = b->nr = 0;
		b->there.group = NULL;
	}
	if (nr_skipped)
		skipped = (struct mask){};
	nr_skipped = 0;
	return moved;
}

/* sched_balance_rq(): how many tasks came to this CPU. */
static u32 balance_level(struct fair_rq *rq, struct fair_level *l, enum idleness idle)
{
	struct balance b = { .to = rq, .level = l, .domain = l->domain, .idle = idle };
	u64 least = (u64)l->domain->weight * MSEC, most;
	u32 moved;

	if (!my_turn(&b))
		return 0;
	moved = try_all(&b);
	if (!b.from) {
		most = b.pinned && 2 * least < MAX_PINNED_INTERVAL ? MAX_PINNED_INTERVAL : 2 * least;
		l->failed = 0;
		if (idle != I_NEWLY && l->interval < most)
			l->interval *= 2;
	} else if (moved) {
		l->failed = 0;
		l->interval = least;
	} else if (!note_failure(&b)) {
		l->interval = least;
	}
	return b.to == rq ? moved : 0;
}

/* get_sd_balance_interval() */
static u64 level_interval(const struct fair_level *l, int busy)
{
	u64 interval = l->interval, most = (u64)machine.nr_cpus * 100 * MSEC; /* max_load_balance_interval */

	if (busy)
		interval = interval * BUSY_FACTOR - machine.tick_ns;
	if (interval > most)
		interval = most;
	return interval > machine.tick_ns ? interval : machine.tick_ns;
}

/* sched_balance_domains() */
static void balance_levels(struct fair_rq *rq, enum idleness idle)
{
	u64 next = clock_ns + 60000 * MSEC;

	for (u32 i = 0; i < rq->nr_levels; i++) {
		struct fair_level *l = &rq->levels[i];
		u64 interval = level_interval(l, idle == I_BUSY);

		if (clock_ns >= l->last + interval) {
			if (balance_level(rq, l, idle))
				idle = rq->nr ? I_BUSY : I_IDLE;
			l->last = clock_ns;
			interval = level_interval(l, idle == I_BUSY);
		}
		if (l->last + interval < next)
			next = l->last + interval;
	}
	rq->next_balance = next;
}

static u64 nohz_next; /* nohz.next_balance */

/* nohz_idle_balance(): idle CPUs do not tick, so one that is woken for it balances for all of them. */
static void balance_for_idle(void)
{
	u64 soonest = NEVER;

	if (clock_ns < nohz_next)
		return;
	for (u32 w = 0; w < MASK_USED; w++) {
		for (u64 left = fair_idle.w[w]; left; left &= left - 1) {
			struct fair_rq *rq = &fair_rqs[w * 64 + __builtin_ctzll(left)];

			if (!fair_idle_cpu(rq->cpu->id))
				continue;
			if (clock_ns - rq->blocked_at >= 32 * MSEC)
				fade_blocked(rq);
			if (clock_ns >= rq->next_balance)
				balance_levels(rq, I_IDLE);
			if (rq->next_balance < soonest)
				soonest = rq->next_balance;
		}
	}
	nohz_next = soonest;
}

/* update_next_balance(), nohz_balance_enter_idle(): idle CPUs balance more often than busy ones. */
static void idle_begins_balancing(struct fair_rq *rq)
{
	for (u32 i = 0; i < rq->nr_levels; i++) {
		u64 next = rq->levels[i].last + level_interval(&rq->levels[i], 0);

		if (next < rq->next_balance)
			rq->next_balance = next;
	}
	if (rq->next_balance < nohz_next)
		nohz_next = rq->next_balance;
}

/* nohz_balancer_kick(): this CPU has too much, a task too big, a busy sibling, or there are other caches. */
static int idle_wanted(const struct fair_rq *rq)
{
	const struct fair_domain *top = rq->nr_levels ? rq->levels[rq->nr_levels - 1].domain : NULL;

	if (rq->nr >= 2 || rq->misfit)
		return 1;
	if (machine.has_smt && !fair_core_idles(rq->cpu->id)) {
		for (const struct cpu *s = rq->cpu->next_sibling; s != rq->cpu; s = s->next_sibling) {
			if (s->curr)
				return 1;
		}
	}
	return top && !top->llc;
}

/* sched_balance_trigger(), from the tick */
static void balance_trigger(struct fair_rq *rq)
{
	if (clock_ns - rq->blocked_at >= 32 * MSEC)
		fade_blocked(rq);
	if (clock_ns >= rq->next_balance)
		balance_levels(rq, I_BUSY);
	if (idle_wanted(rq))
		balance_for_idle();
}

/* Is there a CPU among these (NULL: among all, rd->overloaded) that has something to give? */
static int overloaded_in(const struct fair_domain *d)
{
	for (u32 w = 0; w < MASK_USED; w++) {
		if (fair_overloaded.w[w] & (d ? d->span.w[w] : ~0ULL))
			return 1;
	}
	return fair_misfits != 0;
}

/* update_newidle_stats() */
static void note_newidle(struct fair_level *l, u32 success)
{
	l->hits += success;
	if (++l->tries < 1024)
		return;
	l->ratio = l->hits;
	l->tries /= 2;
	l->hits /= 2;
}

/* A level is looked at as often as that was worth it (NI_RANDOM, since 7.0 and 6.18.5). */
static int newidle_level(struct fair_rq *rq, struct fair_level *l)
{
	u32 weight = 1 + l->ratio;
	int pulled;

	if (random_next(&fair_random) % 1024 > weight) {
		note_newidle(l, 0);
		return 0;
	}
	weight = (1024 + weight / 2) / weight;
	pulled = overloaded_in(l->domain) && balance_level(rq, l, I_NEWLY);
	note_newidle(l, pulled ? weight : 0);
	return pulled;
}

/* sched_balance_newidle(): 1 when something is there to run now. */
static int balance_newidle(struct fair_rq *rq)
{
	u64 cost = 0;

	if (!overloaded_in(NULL))
		return 0;
	for (u32 i = 0; i < rq->nr_levels; i++) {
		struct fair_level *l = &rq->levels[i];

		cost += (u64)l->domain->weight * NEWIDLE_COST;
		if (rq->avg_idle < cost)
			break;
		if (newidle_level(rq, l))
			return 1;
	}
	return 0;
}
