/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life after an ejection: scx_disable_workfn() (kernel/sched/ext.c, 6.18). The policy takes its leave, its tasks are the
 * fair class's from then on. The kernel's helper thread needs a while for that, in which tasks run first come first
 * served (bypass); here it is done at the end of the event in which the policy was ejected.
 */
#include "scx.h"

static void forget_events(void)
{
	at(machine.nr_cpus + nr_tasks, NEVER);
	sched_watchdog_ns = 0;
	for (u32 place = 0; place < MAX_TIMERS; place++) {
		armed_timers -= places[timer_id(place)] != NOWHERE;
		at(timer_id(place), NEVER);
	}
}

/* Only a policy that was in nobody's way has left the fair class to its own. */
static void fair_begins(void)
{
	eevdf_class.init();
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		struct fair_rq *rq = &fair_rqs[i];

		rq->idle_since = cpus[i].idle_since;
		if (cpus[i].curr || cpus[i].offline)
			idle_clear(rq);
	}
}

/* It is neither here nor there: off the policy's queues, and nothing of sched_ext's is left in it. */
static void comes_off(struct task *p)
{
	if (p->state != T_NEW)
		dsq_remove(p);
	for (u32 i = 0; i < sizeof(p->cls) / sizeof(*p->cls); i++)
		p->cls[i] = 0;
	p->ext = 0;
	if (p->state != T_NEW && p->state != T_DEAD)
		fair_task_new(p);
	if (policy.partial && p->runnable)
		count_other(&fair_rqs[p->cpu], -1);
}

/* switched_to_fair(): who runs is asked whether it still should, who waits may preempt. */
static void comes_to_fair(struct task *p)
{
	struct cpu *c = &cpus[p->cpu];

	if (c->offline) {
		count_waiting(p, -1);
		p->cpu = fallback_cpu(p);
		count_waiting(p, 1);
		c = &cpus[p->cpu];
	}
	if (c->curr == p) {
		fair_enqueue(c, p, ENQUEUE_RESTORE);
		fair_set_next(c, p);
		resched(c);
		return;
	}
	fair_enqueue(c, p, 0);
	if (!c->curr)
		resched(c);
}

static void fall_back(void)
{
	u8 *was_ext = alloc(nr_tasks);

	ejected = 2;
	for (u32 i = 0; i < machine.nr_cpus; i++)
		settle(&cpus[i]);
	if (policy.loaded)
		take_leave(ending.kind);
	forget_events();
	sched = &eevdf_class;
	if (!fair_rqs)
		fair_begins();
	for (u32 i = 0; i < nr_tasks; i++) {
		was_ext[i] = tasks[i].ext;
		if (tasks[i].ext)
			comes_off(&tasks[i]);
	}
	for (u32 i = 0; i < nr_tasks; i++) {
		if (was_ext[i] && tasks[i].state == T_RUNNING)
			comes_to_fair(&tasks[i]);
	}
	for (u32 i = 0; i < nr_tasks; i++) {
		if (was_ext[i] && tasks[i].state == T_QUEUED)
			comes_to_fair(&tasks[i]);
	}
}
