/* SPDX-License-Identifier: GPL-2.0-only */
/* The plainest scheduler: one queue for all CPUs, first come first served, each until it blocks. */
#include "engine.h"
#include "sched_class.h"

struct fifo_task {
	struct task *prev, *next;
};

static struct task *fifo_first, *fifo_last;

static struct fifo_task *fifo_of(struct task *p)
{
	return (struct fifo_task *)p->cls;
}

static int fifo_init(void)
{
	return 0;
}

static void fifo_add(struct task *p)
{
	fifo_of(p)->prev = fifo_last;
	fifo_of(p)->next = NULL;
	if (fifo_last)
		fifo_of(fifo_last)->next = p;
	else
		fifo_first = p;
	fifo_last = p;
}

static void fifo_remove(struct task *p)
{
	struct task *prev = fifo_of(p)->prev, *next = fifo_of(p)->next;

	if (prev)
		fifo_of(prev)->next = next;
	else
		fifo_first = next;
	if (next)
		fifo_of(next)->prev = prev;
	else
		fifo_last = prev;
}

/* Stay where the cache is warm when that CPU idles, else any idle one. */
static int any_idle_cpu(struct task *p, int prev_cpu)
{
	if (allowed(p, prev_cpu) && !cpus[prev_cpu].curr && !cpus[prev_cpu].need_resched)
		return prev_cpu;
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		if (!cpus[i].curr && !cpus[i].need_resched && allowed(p, i))
			return i;
	}
	return prev_cpu;
}

static int fifo_select_cpu(struct task *p, int prev_cpu, u32 wake_flags)
{
	return any_idle_cpu(p, prev_cpu);
}

static void fifo_enqueue(struct cpu *c, struct task *p, u32 flags)
{
	if (!(flags & ENQUEUE_RESTORE))
		fifo_add(p);
}

static void fifo_dequeue(struct cpu *c, struct task *p, u32 flags)
{
	if (p->state == T_QUEUED)
		fifo_remove(p);
}

static struct task *fifo_pick(struct cpu *c, struct task *prev)
{
	if (prev && prev->runnable && !prev->yields)
		return prev;
	for (struct task *p = fifo_first; p; p = fifo_of(p)->next) {
		if (allowed(p, c->id)) {
			fifo_remove(p);
			migrate(p, c);
			return p;
		}
	}
	return prev && prev->runnable ? prev : NULL;
}

static void fifo_put_prev(struct cpu *c, struct task *prev, struct task *next)
{
	fifo_add(prev);
}

/* The one queue is everybody's: others take who waits for the CPU that went, and who may use that one alone. */
static void fifo_drain(struct cpu *c)
{
	for (u32 i = 0; i < nr_tasks; i++) {
		if (tasks[i].state == T_QUEUED && first_of_both(tasks[i].allowed, &online_cpus) < 0)
			evict(&tasks[i]);
	}
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		if (!cpus[i].curr && !cpus[i].offline)
			resched(&cpus[i]);
	}
}

static void no_task(struct task *p) {}
static void no_cpu_task(struct cpu *c, struct task *p) {}
static void no_charge(struct cpu *c, struct task *p, u64 delta) {}
static void no_idle(struct cpu *c, int idle) {}
static void no_watchdog(void) {}

const struct sched_class fifo_class = {
	.init = fifo_init,
	.task_new = no_task,
	.task_dead = no_task,
	.select_cpu = fifo_select_cpu,
	.enqueue = fifo_enqueue,
	.dequeue = fifo_dequeue,
	.pick = fifo_pick,
	.put_prev = fifo_put_prev,
	.set_next = no_cpu_task,
	.charge = no_charge,
	.tick = no_cpu_task,
	.yield = no_cpu_task,
	.weight_changed = no_task,
	.cpus_changed = no_task,
	.idle = no_idle,
	.drain = fifo_drain,
	.watchdog = no_watchdog,
};
