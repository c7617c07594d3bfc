/* SPDX-License-Identifier: GPL-2.0-only */
/* Which group of CPUs has too much to do, and how much of it (sched_balance_find_src_group()). */
#include "eevdf.h"

enum moves { M_LOAD, M_UTIL, M_TASKS, M_MISFIT }; /* enum migration_type */
enum idleness { I_BUSY, I_IDLE, I_NEWLY }; /* enum cpu_idle_type */

/* struct lb_env */
struct balance {
	struct fair_rq *to, *from;
	struct fair_level *level;
	const struct fair_domain *domain;
	enum idleness idle;
	enum moves what;
	s64 amount; /* tasks, load or utilisation */
	int pinned; /* all that were looked at may not go there (LBF_ALL_PINNED) ... */
	s32 instead; /* ... but to this one of the same group (new_dst_cpu); -1: none */
	struct group_stats here, there;
	u64 load, capacity, util; /* of the domain */
	u32 nr;
};

/* update_sg_lb_stats(): a core with two tasks is worth looking at (smt_balance()). */
static void stats_classify(struct balance *b, struct group_stats *s, int local)
{
	const struct fair_domain *d = b->domain;

	if (!d->asym)
		s->misfit = 0;
	s->type = group_classify(s, d->pct);
	if (!local && s->type < G_SMT && s->group->smt && s->nr > 1 && b->idle != I_BUSY)
		s->type = G_SMT;
	if (s->type == G_OVERLOADED)
		s->average = group_average(s);
}

/* update_sd_pick_busiest() */
static int busier(const struct balance *b, const struct group_stats *s)
{
	const struct group_stats *best = &b->there;

	if (!s->nr)
		return 0;
	/* A slow group's misfits are for a fast one with room. */
	if (s->type == G_MISFIT && (b->to->cpu->capacity * 1024ULL <= s->group->max_capacity * 1078ULL ||
				    b->here.type != G_SPARE))
		return 0;
	/* Nothing is taken from faster ones that keep up. */
	if (b->domain->asym && s->type <= G_BUSY && s->group->max_capacity * 1024 > b->to->cpu->capacity * 1078ULL)
		return 0;
	if (!best->group || s->type != best->type)
		return !best->group || s->type > best->type;
	switch (s->type) {
	case G_OVERLOADED:
		return s->average > best->average;
	case G_MISFIT:
		return s->misfit > best->misfit;
	case G_BUSY:
		return group_average(s) > group_average(best);
	case G_SMT:
		if (!s->idle && !best->idle)
			return group_average(s) > group_average(best);
		break;
	default:
		break;
	}
	return s->idle < best->idle || (s->idle == best->idle && s->nr > best->nr);
}

/* update_sd_lb_stats(); update_idle_cpu_scan(): the busier the cache's CPUs, the fewer a wake-up looks at. */
static void stats_update(struct balance *b)
{
	const struct fair_domain *d = b->domain;
	struct group_stats s;

	group_sums(&b->here, &d->groups[b->level->local]);
	stats_classify(b, &b->here, 1);
	for (u32 i = 0; i < d->nr_groups; i++) {
		if (i == b->level->local) {
			s = b->here;
		} else {
			group_sums(&s, &d->groups[i]);
			stats_classify(b, &s, 0);
			if (busier(b, &s))
				b->there = s;
		}
		b->load += s.load;
		b->capacity += s.group->capacity;
		b->util += s.util;
		b->nr += s.nr;
	}
	if (b->idle != I_NEWLY && d == llc_domain(b->to)) {
		struct fair_llc *llc = &fair_llcs[b->to->llc];
		u64 each = b->util / llc->nr, used = each * each * d->pct * d->pct / (10000 * FULL);

		llc->scan = (FULL - (used < FULL ? used : FULL)) * llc->nr / FULL;
	}
}

/* sibling_imbalance(): by cores, when the groups are not of one size */
static s64 sibling_imbalance(const struct balance *b)
{
	const struct group_stats *here = &b->here, *there = &b->there;
	s64 cores = here->group->cores + there->group->cores, amount;

	if (b->idle == I_BUSY)
		return 0;
	if (here->group->cores == there->group->cores)
		return (s64)there->nr - here->nr;
	amount = 2 * ((s64)there->nr * here->group->cores - (s64)here->nr * there->group->cores);
	amount = amount > 0 ? (amount + cores) / cores : 0;
	return amount <= 1 && !here->nr && there->nr > 1 ? 2 : amount;
}

/* calculate_imbalance(), a local group with room */
static void amount_for_spare(struct balance *b)
{
	const struct group_stats *here = &b->here, *there = &b->there;

	if (there->type > G_BUSY && !b->domain->llc) {
		b->what = M_UTIL;
		b->amount = here->group->capacity > here->util ? here->group->capacity - here->util : 0;
		if (!b->amount && b->idle != I_BUSY) {
			b->what = M_TASKS;
			b->amount = 1;
		}
		return;
	}
	b->what = M_TASKS;
	if (there->group->nr == 1 || b->domain->spread)
		b->amount = sibling_imbalance(b);
	else
		b->amount = (s64)here->idle - there->idle;
	/* adjust_numa_imbalance(): while the other node is not full, a small difference is left alone */
	if (b->domain->numa && here->nr + 1 <= here->group->nr / 8 && b->amount <= 2)
		b->amount = 0;
	b->amount = (b->amount > 0 ? b->amount : 0) / 2;
}

/* calculate_imbalance() */
static void amount(struct balance *b)
{
	struct group_stats *here = &b->here, *there = &b->there;
	u64 average = b->load * FULL / b->capacity, too_much, too_little;

	if (there->type == G_MISFIT || there->type == G_SMT) {
		b->what = there->type == G_MISFIT ? M_MISFIT : M_TASKS;
		b->amount = 1;
		return;
	}
	if (here->type == G_SPARE) {
		amount_for_spare(b);
		return;
	}
	if (here->type < G_OVERLOADED) {
		here->average = group_average(here);
		if (here->average >= there->average || here->average >= average) {
			b->amount = 0;
			return;
		}
	}
	too_much = there->average > average ? (there->average - average) * there->group->capacity : 0;
	too_little = average > here->average ? (average - here->average) * here->group->capacity : 0;
	b->what = M_LOAD;
	b->amount = (too_much < too_little ? too_much : too_little) / FULL;
}

/* sched_balance_find_src_group(): is there anything to do? */
static int find_group(struct balance *b)
{
	const struct group_stats *here = &b->here, *there = &b->there;
	u64 average;

	stats_update(b);
	average = b->load * FULL / b->capacity;
	if (!there->group)
		return 0;
	if (there->type != G_MISFIT) {
		if (here->type > there->type)
			return 0;
		if (here->type == G_OVERLOADED && (here->average >= there->average || here->average >= average ||
						   100 * there->average <= b->domain->pct * here->average))
			return 0;
		if (there->type != G_OVERLOADED &&
		    !(b->domain->spread && here->type == G_SPARE && sibling_imbalance(b) > 1)) {
			if (b->idle == I_BUSY)
				return 0;
			if (there->group->nr > 1 && here->idle <= there->idle + 1)
				return 0;
			if (there->nr == 1)
				return 0;
		}
	}
	amount(b);
	return b->amount > 0;
}

/* sched_balance_find_src_rq() */
static struct fair_rq *find_rq(const struct balance *b)
{
	const struct fair_group *g = b->there.group;
	struct fair_rq *best = NULL;
	u64 most = 0;

	for (u32 i = 0; i < g->nr; i++) {
		struct fair_rq *rq = &fair_rqs[g->cpus[i]];
		u64 value = 0;

		if (!rq->nr || (nr_skipped && mask_test(&skipped, g->cpus[i])) || (b->domain->asym && b->what != M_MISFIT && rq->nr == 1 &&
				rq->cpu->capacity >= b->to->cpu->capacity))
			continue;
		if (b->what == M_LOAD && (rq->nr > 1 || cpu_load(rq) <= (u64)b->amount))
			value = cpu_load(rq) * FULL / rq->cpu->capacity + 1;
		else if (b->what == M_UTIL && rq->nr > 1)
			value = cpu_util(rq) + 1;
		else if (b->what == M_TASKS)
			value = rq->nr;
		else if (b->what == M_MISFIT)
			value = rq->misfit;
		if (value > most) {
			most = value;
			best = rq;
		}
	}
	return best;
}
