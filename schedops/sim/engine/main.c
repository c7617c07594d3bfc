/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop of events. */
#include "engine.h"
#include "sched_class.h"

static void tick(struct cpu *c, struct task *p)
{
	counts.ticks++;
	c->tick_at += machine.tick_ns;
	frequency_after_tick(c);
	if (!p->realtime)
		sched->tick(c, p);
}

static void cpu_event(struct cpu *c)
{
	struct task *p = c->curr;

	handling = c;
	this_cpu = c->id;
	settle(c);
	if (p && c->tick_at <= clock_ns)
		tick(c, p);
	if (p && !p->work && !p->cost) {
		counts.completions++;
		run_program(c, p);
	}
	while (c->need_resched && !stopped) {
		schedule(c);
		p = c->curr;
		/* Woken: what comes after its wait, if the switch costs nothing. */
		if (p && !p->work && !p->cost)
			run_program(c, p);
	}
	handling = NULL;
	rearm(c);
}

static void task_event(struct task *p)
{
	this_cpu = timer_cpu(p->cpu);
	wake(p, 0, WF_TTWU);
}

static void watchdog_event(u32 id)
{
	sched->watchdog();
	at(id, clock_ns + sched_watchdog_ns);
}

static void conclude(void)
{
	if (end_ns && (!heap_size || heap[0].time > end_ns)) {
		clock_ns = end_ns;
		stop(V_DONE, 0, "%s", remark);
		return;
	}
	if (tasks_left)
		stop(V_STUCK, 0, "%u tasks are left and nothing can happen any more", tasks_left);
	else
		stop(V_DONE, 0, "%s", remark);
}

/* Handle so many events at most. 1: the verdict is there. */
u32 EXPORT(run)(u64 events)
{
	u32 watchdog = machine.nr_cpus + nr_tasks;

	while (!stopped && events--) {
		u32 id;

		if (!heap_size || (end_ns && heap[0].time > end_ns) || !tasks_left ||
		    (heap_size == armed_timers + !!sched_watchdog_ns && !waiting)) {
			conclude();
			break;
		}
		if (max_records && max_records - nr_records < 4096)
			break;
		clock_ns = heap[0].time;
		id = event_id(heap);
		if (id < machine.nr_cpus) {
			cpu_event(&cpus[id]);
		} else if (id < watchdog) {
			at(id, NEVER);
			task_event(&tasks[id - machine.nr_cpus]);
		} else if (id == watchdog) {
			watchdog_event(id);
		} else if (id < timer_id(MAX_TIMERS)) {
			timer_event(id);
		} else {
			hotplug_event(id);
		}
		if (unlikely(ejected == 1))
			fall_back();
	}
	return stopped;
}
