/* SPDX-License-Identifier: GPL-2.0-only */
/* What a group of CPUs looks like; where a task begins (SD_BALANCE_FORK): in the idlest group, on its idlest CPU. */
#include "eevdf.h"

enum group_type { G_SPARE, G_BUSY, G_MISFIT, G_SMT, G_OVERLOADED }; /* enum group_type; see eevdf_stats.c */

struct group_stats {
	const struct fair_group *group;
	u64 load, util, runnable, average, misfit;
	u32 nr, idle;
	enum group_type type;
};

/* CPUs that balancing has found nothing to take from, but tasks bound to other CPUs (lb_env.cpus lacks them). */
static struct mask skipped;
static u32 nr_skipped;

/* update_sg_lb_stats(), update_sg_wakeup_stats(): the sums. */
static void group_sums(struct group_stats *s, const struct fair_group *g)
{
	*s = (struct group_stats){ .group = g };
	for (u32 i = 0; i < g->nr; i++) {
		struct fair_rq *rq = &fair_rqs[g->cpus[i]];

		if (nr_skipped && mask_test(&skipped, g->cpus[i]))
			continue;
		s->load += cpu_load(rq);
		s->util += cpu_util(rq);
		s->runnable += rq->root->avg.runnable;
		s->nr += nr_running(rq);
		s->idle += fair_idle_cpu(g->cpus[i]);
		if (rq->misfit > s->misfit)
			s->misfit = rq->misfit;
	}
}

/* group_classify() by group_is_overloaded() and group_has_capacity() */
static enum group_type group_classify(const struct group_stats *s, u32 pct)
{
	u64 capacity = s->group->capacity;
	int crowded = capacity * pct < s->runnable * 100;

	if (s->nr > s->group->nr && (crowded || capacity * 100 < s->util * pct))
		return G_OVERLOADED;
	if (s->misfit)
		return G_MISFIT;
	return s->nr >= s->group->nr && (crowded || capacity * 100 <= s->util * pct) ? G_BUSY : G_SPARE;
}

static u64 group_average(const struct group_stats *s)
{
	return s->load * FULL / s->group->capacity;
}

static int group_allowed(const struct fair_group *g, const struct task *p)
{
	if (p->nr_allowed == machine.nr_cpus)
		return 1;
	for (u32 i = 0; i < g->nr; i++) {
		if (allowed(p, g->cpus[i]))
			return 1;
	}
	return 0;
}

/* update_sg_wakeup_stats() */
static void fork_stats(struct group_stats *s, const struct fair_domain *d, const struct fair_group *g, struct task *p)
{
	group_sums(s, g);
	s->misfit = d->asym && !avg_fits(util_estimate(p), g->max_capacity) && g->max_capacity < FULL;
	s->type = group_classify(s, d->pct);
	if (s->type == G_OVERLOADED || s->type == G_BUSY)
		s->average = group_average(s);
}

/* update_pick_idlest() */
static int idler(const struct group_stats *a, const struct group_stats *b)
{
	if (a->type != b->type)
		return a->type < b->type;
	if (a->type == G_OVERLOADED || a->type == G_BUSY)
		return a->average < b->average;
	if (a->type == G_MISFIT)
		return a->group->max_capacity > b->group->max_capacity;
	return a->idle > b->idle || (a->idle == b->idle && a->util < b->util);
}

/* sched_balance_find_dst_group(), its end: is the other group worth the way? */
static int worth_leaving(const struct fair_domain *d, const struct group_stats *here, const struct group_stats *there)
{
	u64 margin = FULL * (d->pct - 100) / 100;

	if (here->type != there->type)
		return here->type > there->type;
	if (here->type == G_OVERLOADED || here->type == G_BUSY)
		return there->average + margin < here->average && 100 * here->average > d->pct * there->average;
	if (here->type == G_MISFIT)
		return here->group->max_capacity < there->group->max_capacity;
	/* A node is left only when it is a good deal fuller (imb_numa_nr, build_sched_domains(): an eighth of it). */
	return here->idle + (d->numa ? here->group->nr / 8 : 0) < there->idle;
}

/* sched_balance_find_dst_group(). NULL: stay in the own one. */
static const struct fair_group *idlest_group(const struct fair_level *l, struct task *p)
{
	const struct fair_domain *d = l->domain;
	struct group_stats best = {}, here = {}, s;

	for (u32 i = 0; i < d->nr_groups; i++) {
		if (!group_allowed(&d->groups[i], p))
			continue;
		fork_stats(&s, d, &d->groups[i], p);
		if (i == l->local)
			here = s;
		else if (!best.group || idler(&s, &best))
			best = s;
	}
	if (!best.group || (here.group && !worth_leaving(d, &here, &best)))
		return NULL;
	return best.group;
}

/* sched_balance_find_dst_group_cpu(): the one that idles since the shortest time, else the least loaded one. */
static s32 idlest_cpu(const struct fair_group *g, struct task *p, s32 here)
{
	s32 best = -1, idle = -1;

	for (u32 i = 0; i < g->nr; i++) {
		s32 cpu = g->cpus[i];

		if (!allowed(p, cpu))
			continue;
		if (fair_idle_cpu(cpu)) {
			if (idle < 0 || fair_rqs[cpu].idle_since > fair_rqs[idle].idle_since)
				idle = cpu;
		} else if (best < 0 || cpu_load(&fair_rqs[cpu]) < cpu_load(&fair_rqs[best])) {
			best = cpu;
		}
	}
	return idle >= 0 ? idle : best >= 0 ? best : here;
}

/* sched_balance_find_dst_cpu(): from the widest domain to the narrowest. */
static int fair_fork_cpu(struct task *p, s32 cpu)
{
	s32 level = fair_rqs[cpu].nr_levels;

	while (--level >= 0) {
		const struct fair_rq *rq = &fair_rqs[cpu];
		const struct fair_group *g;

		if (level >= (s32)rq->nr_levels)
			continue;
		g = idlest_group(&rq->levels[level], p);
		if (g)
			cpu = idlest_cpu(g, p, cpu);
	}
	return cpu;
}
