/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scheduling domains and groups (kernel/sched/topology.c, Linux 6.18: default_topology[] SMT, MC, PKG and one level for
 * NUMA; sd_init()). A level that adds no CPUs to the one below is left out (sd_degenerate()). Capacities do not change
 * with frequency or interrupts, so groups keep theirs.
 */
#include "eevdf.h"

static int topology_shares(const struct cpu *a, const struct cpu *b, u32 level)
{
	if (a->offline || b->offline)
		return 0;
	if (level == 0)
		return a->core == b->core && a->llc == b->llc && a->node == b->node;
	if (level == 1)
		return a->llc == b->llc && a->node == b->node;
	return level == 3 || a->node == b->node;
}

static int first_of_core(const struct cpu *c)
{
	for (const struct cpu *s = c->next_sibling; s != c; s = s->next_sibling) {
		if (s->id < c->id)
			return 0;
	}
	return 1;
}

static void group_make(struct fair_group *g, const struct cpu *first, u32 child)
{
	g->cpus = alloc(machine.nr_cpus * sizeof(*g->cpus));
	for (u32 i = first->id; i < machine.nr_cpus; i++) {
		const struct cpu *c = &cpus[i];

		if (c != first && (child == FAIR_LEVELS || !topology_shares(first, c, child)))
			continue;
		g->cpus[g->nr++] = i;
		g->capacity += c->capacity;
		g->cores += first_of_core(c);
		if (c->capacity > g->max_capacity)
			g->max_capacity = c->capacity;
	}
	g->cores += !g->cores;
	g->smt = child == 0 && g->nr > 1;
}

/* Groups are the domains of the level below (child; FAIR_LEVELS: there is none), or CPUs. */
static void groups_make(struct fair_domain *d, u32 child)
{
	struct mask done = {};

	for (u32 i = 0; i < machine.nr_cpus; i++) {
		struct fair_group *g = &d->groups[d->nr_groups];

		if (!mask_test(&d->span, i) || mask_test(&done, i))
			continue;
		group_make(g, &cpus[i], child);
		for (u32 j = 0; j < g->nr; j++)
			mask_set(&done, g->cpus[j]);
		d->nr_groups++;
	}
}

static u32 groups_needed(const struct fair_domain *d, u32 child)
{
	u32 n = 0;

	for (u32 i = 0; i < machine.nr_cpus; i++) {
		u32 first = i;

		if (!mask_test(&d->span, i))
			continue;
		for (u32 j = 0; child < FAIR_LEVELS && j < i && first == i; j++) {
			if (mask_test(&d->span, j) && topology_shares(&cpus[i], &cpus[j], child))
				first = j;
		}
		n += first == i;
	}
	return n;
}

static struct fair_domain *domain_make(const struct cpu *c, u32 level, u32 child)
{
	struct fair_domain *d = alloc(sizeof(*d));

	for (u32 i = 0; i < machine.nr_cpus; i++) {
		if (!topology_shares(c, &cpus[i], level))
			continue;
		mask_set(&d->span, i);
		d->weight++;
		d->asym |= cpus[i].capacity != c->capacity;
	}
	d->smt = level == 0;
	d->llc = level <= 1;
	d->numa = level == 3;
	d->pct = d->smt ? 110 : 117;
	d->patience = d->smt ? 0 : d->numa ? 2 : 1;
	d->spread = child < FAIR_LEVELS && !d->asym; /* SD_PREFER_SIBLING of the level below */
	d->groups = alloc(groups_needed(d, child) * sizeof(*d->groups));
	groups_make(d, child);
	return d;
}

static void level_add(struct fair_rq *rq, struct fair_domain *d)
{
	struct fair_level *l = &rq->levels[rq->nr_levels++];

	l->domain = d;
	l->interval = (u64)d->weight * MSEC;
	l->tries = 512;
	l->hits = 256;
	l->ratio = 512;
	for (u32 g = 0; g < d->nr_groups; g++) {
		for (u32 i = 0; i < d->groups[g].nr; i++) {
			if (d->groups[g].cpus[i] == rq->cpu->id)
				l->local = g;
		}
	}
}

static u32 domain_weight(const struct cpu *c, u32 level)
{
	u32 n = 0;

	for (u32 i = 0; i < machine.nr_cpus; i++)
		n += topology_shares(c, &cpus[i], level);
	return n;
}

/* The domains of one CPU, shared with those that are in them and came before. */
static void levels_make(struct fair_rq *rq)
{
	u32 child = FAIR_LEVELS, below = 1;

	for (u32 level = 0; level < FAIR_LEVELS; level++) {
		struct fair_domain *d = NULL;
		u32 weight = domain_weight(rq->cpu, level);

		if (weight == below)
			continue;
		for (s32 i = 0; i < rq->cpu->id && !d; i++) {
			if (topology_shares(rq->cpu, &cpus[i], level))
				d = fair_rqs[i].levels[rq->nr_levels].domain;
		}
		level_add(rq, d && d->weight == weight ? d : domain_make(rq->cpu, level, child));
		child = level;
		below = weight;
	}
}

static void llcs_make(void)
{
	u32 n = 0;

	for (u32 i = 0; i < machine.nr_cpus; i++)
		fair_llcs[i] = (struct fair_llc){};
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		u32 first = 0;

		while (cpus[first].llc != cpus[i].llc || cpus[first].node != cpus[i].node)
			first++;
		if (first == i)
			fair_rqs[i].llc = n++;
		else
			fair_rqs[i].llc = fair_rqs[first].llc;
		if (cpus[i].offline)
			continue;
		mask_set(&fair_llcs[fair_rqs[i].llc].mask, i);
		fair_llcs[fair_rqs[i].llc].nr++;
		fair_llcs[fair_rqs[i].llc].mixed |= cpus[i].capacity != cpus[first].capacity;
	}
	for (u32 i = 0; i < n; i++)
		fair_llcs[i].scan = fair_llcs[i].nr;
}

/* build_sched_domains(): anew for all when a CPU goes or comes (cpuset_cpu_inactive(), cpuset_cpu_active()). */
static void domains_make(void)
{
	llcs_make();
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		struct fair_rq *rq = &fair_rqs[i];

		for (; rq->nr_levels; rq->nr_levels--)
			rq->levels[rq->nr_levels - 1] = (struct fair_level){};
		if (!cpus[i].offline)
			levels_make(rq);
		rq->next_balance = clock_ns + MSEC;
	}
}

static void topology_init(void)
{
	fair_llcs = alloc(machine.nr_cpus * sizeof(*fair_llcs));
	domains_make();
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		fair_asym |= cpus[i].capacity != cpus[0].capacity;
		mask_set(&fair_idle, i);
		mask_set(&fair_idle_cores, i);
	}
}

static const struct fair_domain *llc_domain(const struct fair_rq *rq)
{
	for (u32 l = rq->nr_levels; l--;) {
		if (rq->levels[l].domain->llc)
			return rq->levels[l].domain;
	}
	return NULL;
}
