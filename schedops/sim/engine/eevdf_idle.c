/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs idle in the eyes of the fair class, and how many tasks are on each. */
#include "eevdf.h"

static int fair_core_idles(s32 cpu)
{
	const struct cpu *c = &cpus[cpu];

	for (const struct cpu *s = c->next_sibling; s != c; s = s->next_sibling) {
		if (!fair_idle_cpu(s->id) && !s->offline)
			return 0;
	}
	return fair_idle_cpu(cpu);
}

/* The core's bits follow (__update_idle_core(), set_idle_cores()). */
static void core_changed(struct cpu *c)
{
	struct cpu *s = c;
	int idles;

	while (s->offline && s->next_sibling != c)
		s = s->next_sibling;
	idles = fair_core_idles(s->id);
	s = c;
	do {
		if (idles && !s->offline)
			mask_set(&fair_idle_cores, s->id);
		else
			mask_clear(&fair_idle_cores, s->id);
		s = s->next_sibling;
	} while (s != c);
}

static void idle_set(struct fair_rq *rq)
{
	mask_set(&fair_idle, rq->cpu->id);
	core_changed(rq->cpu);
}

static void idle_clear(struct fair_rq *rq)
{
	if (!fair_idle_cpu(rq->cpu->id))
		return;
	mask_clear(&fair_idle, rq->cpu->id);
	core_changed(rq->cpu);
}

/* idle_exit(): update_avg_idle(), kernel/sched/core.c */
static void update_avg_idle(struct fair_rq *rq)
{
	s64 slept = clock_ns - rq->idle_since, average = rq->avg_idle;

	average += (slept - average) / 8;
	rq->avg_idle = average > (s64)(2 * FAIR_MIGRATION_COST) ? 2 * FAIR_MIGRATION_COST : average;
}

/* The kernel's nr_running: of all classes */
static u32 nr_running(const struct fair_rq *rq)
{
	return rq->nr + rq->others;
}

/* add_nr_running(), sub_nr_running(), kernel/sched/sched.h */
static void count_changed(struct fair_rq *rq, u32 before)
{
	u32 after = nr_running(rq);

	if (before < 2 && after >= 2)
		mask_set(&fair_overloaded, rq->cpu->id);
	else if (before >= 2 && after < 2)
		mask_clear(&fair_overloaded, rq->cpu->id);
	if (after)
		idle_clear(rq);
}

static void count_task(struct fair_rq *rq, s32 by)
{
	u32 before = nr_running(rq);

	rq->nr += by;
	count_changed(rq, before);
}

/* A task of sched_ext's comes to this CPU's run queue, or goes; idle_cpu() looks at that, too. */
static void count_other(struct fair_rq *rq, s32 by)
{
	u32 before = nr_running(rq);

	rq->others += by;
	count_changed(rq, before);
	if (!nr_running(rq) && !rq->cpu->curr && !rq->cpu->offline)
		idle_set(rq);
}
