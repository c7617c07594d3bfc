/* SPDX-License-Identifier: GPL-2.0-only */
/* What Python reads at the end (schedops/adapters/sim/results.py). */
#include "engine.h"

static void close_cpu(struct cpu *c, u64 *out)
{
	if (c->curr)
		settle(c);
	else
		book_idle(c);
	out[0] = c->busy_ns;
	out[1] = c->idle_ns;
	out[2] = c->idle_waste_ns;
}

static void close_task(struct task *p, u64 *out)
{
	u64 waited = p->state == T_QUEUED ? clock_ns - p->since : 0;
	u64 values[12] = {
		p->arrival, p->first_run, p->done, p->cpu_ns, p->wait_ns + waited,
		waited > p->max_wait ? waited : p->max_wait, p->switches, p->preemptions, p->wakeups,
		p->migrations[0], p->migrations[1], p->migrations[2],
	};

	__builtin_memcpy(out, values, sizeof(values));
}

/* Settle everything; once, after the verdict. Nobody is asked any more: a policy's trap came without stop(). */
void EXPORT(finish)(void)
{
	stopped = 1;
	for (u32 i = 0; i < machine.nr_cpus; i++)
		close_cpu(&cpus[i], (u64 *)cpu_results + i * 3);
	for (u32 i = 0; i < nr_tasks; i++)
		close_task(&tasks[i], (u64 *)task_results + i * 12);
}

/* 0 tasks, 1 CPUs, 2 histograms, 3 counts, 4 trace records; 5 how many of those (read: they are taken), 6 the clock,
   7 is it over? */
u64 EXPORT(result)(u32 which)
{
	u64 taken = nr_records;

	switch (which) {
	case 0: return task_results;
	case 1: return cpu_results;
	case 2: return (u64)histograms;
	case 3: return (u64)&counts;
	case 4: return (u64)records;
	case 5: nr_records = 0; return taken;
	case 6: return clock_ns;
	default: return stopped;
	}
}
