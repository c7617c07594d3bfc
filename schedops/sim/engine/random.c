/* SPDX-License-Identifier: GPL-2.0-only */
/* A scheduler without sense: any task that may run, for 4 ticks. Whatever is worse than this is broken. */
#include "engine.h"
#include "sched_class.h"

#define RANDOM_TICKS 4

static u64 random_state;
static struct task **pool;
static u32 pool_size;

static int random_init(void)
{
	pool = alloc((u64)nr_tasks * sizeof(*pool));
	return 0;
}

static void random_enqueue(struct cpu *c, struct task *p, u32 flags)
{
	if (flags & ENQUEUE_RESTORE)
		return;
	p->cls[0] = pool_size;
	pool[pool_size++] = p;
}

static void random_remove(struct task *p)
{
	struct task *last = pool[--pool_size];

	pool[p->cls[0]] = last;
	last->cls[0] = p->cls[0];
}

static void random_dequeue(struct cpu *c, struct task *p, u32 flags)
{
	if (p->state == T_QUEUED)
		random_remove(p);
}

static struct task *random_pick(struct cpu *c, struct task *prev)
{
	u32 start = pool_size ? random_next(&random_state) % pool_size : 0;

	for (u32 i = 0; i < pool_size; i++) {
		struct task *p = pool[(start + i) % pool_size];

		if (allowed(p, c->id)) {
			random_remove(p);
			migrate(p, c);
			return p;
		}
	}
	return prev && prev->runnable ? prev : NULL;
}

static void random_put_prev(struct cpu *c, struct task *prev, struct task *next)
{
	random_enqueue(c, prev, 0);
}

static void random_set_next(struct cpu *c, struct task *p)
{
	p->cls[1] = RANDOM_TICKS;
}

static void random_tick(struct cpu *c, struct task *p)
{
	if (p->cls[1] && !--p->cls[1]) {
		p->cls[1] = RANDOM_TICKS;
		resched(c);
	}
}

const struct sched_class random_class = {
	.init = random_init,
	.task_new = no_task,
	.task_dead = no_task,
	.select_cpu = fifo_select_cpu,
	.enqueue = random_enqueue,
	.dequeue = random_dequeue,
	.pick = random_pick,
	.put_prev = random_put_prev,
	.set_next = random_set_next,
	.charge = no_charge,
	.tick = random_tick,
	.yield = no_cpu_task,
	.weight_changed = no_task,
	.cpus_changed = no_task,
	.idle = no_idle,
	.drain = fifo_drain,
	.watchdog = no_watchdog,
};
