/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks of a class above the scheduler's (SCHED_FIFO, all of one priority): each is bound to one CPU, first come first
 * served, and no scheduler is asked about them.
 */
#include "engine.h"

static void realtime_add(struct cpu *c, struct task *p)
{
	p->realtime_next = NULL;
	if (c->realtime_first)
		c->realtime_last->realtime_next = p;
	else
		c->realtime_first = p;
	c->realtime_last = p;
}

/* Who of them runs next, NULL: nobody. The one that runs goes on. */
static struct task *realtime_pick(struct cpu *c)
{
	struct task *p = c->realtime_first;

	if (p)
		c->realtime_first = p->realtime_next;
	return p;
}
