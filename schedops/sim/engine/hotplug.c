/* SPDX-License-Identifier: GPL-2.0-only */
/* A CPU that goes, and comes back: sched_cpu_deactivate() and sched_cpu_activate() (kernel/sched/core.c, 6.18). */
#include "engine.h"
#include "sched_class.h"

static s32 hotplug_cpu;
static u64 online_ns; /* when it comes back, 0: never */

/* hrtimers_cpu_dying() (kernel/time/hrtimer.c, 6.18): timers of a CPU that went fire on another one. */
static s32 timer_cpu(s32 cpu)
{
	return cpus[cpu].offline ? first_of_both(&all_cpus, &online_cpus) : cpu;
}

/*
 * __balance_push_cpu_stop(): to where select_fallback_rq() says. The kernel lets each one begin to run before it is
 * pushed; here who waits goes at once.
 */
void evict(struct task *p)
{
	struct cpu *to;

	count_waiting(p, -1);
	sched->dequeue(&cpus[p->cpu], p, DEQUEUE_MIGRATING);
	p->cpu = fallback_cpu(p);
	to = &cpus[p->cpu];
	sched->enqueue(to, p, ENQUEUE_MIGRATING);
	count_waiting(p, 1);
	if (!to->curr)
		resched(to);
}

static void evict_realtime(struct cpu *c)
{
	struct task *p;

	while ((p = realtime_pick(c))) {
		struct cpu *to;

		count_waiting(p, -1);
		p->cpu = fallback_cpu(p);
		count_waiting(p, 1);
		to = &cpus[p->cpu];
		realtime_add(to, p);
		if (!to->curr || !to->curr->realtime)
			resched(to);
	}
}

/* balance_push(): the running task is preempted, and queued again elsewhere. */
static void push_current(struct cpu *c)
{
	struct task *p = c->curr;

	if (!p)
		return;
	handling = c;
	settle(c);
	p->moving = 1;
	block(c, p, DEQUEUE_MIGRATING);
	while (c->need_resched && !stopped)
		schedule(c);
	handling = NULL;
	rearm(c);
}

static void cpu_goes(struct cpu *c)
{
	this_cpu = c->id; /* its cpuhp thread */
	if (!c->curr)
		book_idle(c);
	c->offline = 1;
	mask_clear(&online_cpus, c->id);
	evict_realtime(c);
	if (sched->drain)
		sched->drain(c);
	push_current(c);
	if (sched->hotplug && !stopped)
		sched->hotplug(c, 0);
}

static void cpu_comes(struct cpu *c)
{
	this_cpu = c->id;
	book_idle(c);
	c->offline = 0;
	mask_set(&online_cpus, c->id);
	if (sched->hotplug)
		sched->hotplug(c, 1);
	resched(c);
}

static void hotplug_event(u32 id)
{
	struct cpu *c = &cpus[hotplug_cpu];
	int goes = !c->offline;

	if (goes && online_ns) {
		at(id, online_ns);
	} else {
		at(id, NEVER);
		armed_timers--;
	}
	if (goes)
		cpu_goes(c);
	else
		cpu_comes(c);
}
