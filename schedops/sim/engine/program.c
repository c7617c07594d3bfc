/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of tasks, step by step. model/simulation.py (Op) says what each step does. */
#include "engine.h"
#include "sched_class.h"

#define MAX_STEPS 10000

enum op {
	O_EXIT, O_RUN, O_RUN_TABLE, O_SLEEP, O_SLEEP_TABLE, O_TIMER, O_WAIT, O_POST, O_LOCK, O_UNLOCK, O_BARRIER, O_FORK,
	O_LOOP, O_JUMP, O_YIELD, O_NICE, O_AFFINITY, O_BEGIN, O_END, O_SEND, O_RECV, O_SUSPEND, O_SIGNAL
};

struct table {
	const s64 *values;
	u64 length;
};

static struct table *tables;
static struct mask *cpusets;
static u32 *cpuset_sizes;

/* kernel/sched/core.c: sched_prio_to_weight[], nice -20 .. 19. */
static const u32 nice_weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
	3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
	110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};

static u64 draw(struct task *p, s64 table)
{
	const struct table *t = &tables[table];

	return t->values[random_next(&p->random) % t->length];
}

/* Sleep until then; 0 when that is over. */
static int sleep_until(struct cpu *c, struct task *p, u64 then)
{
	if (then <= clock_ns)
		return 1;
	at(machine.nr_cpus + p->id, then);
	block(c, p, DEQUEUE_SLEEP);
	return 0;
}

static int timer(struct cpu *c, struct task *p, const struct insn *i)
{
	u64 *next = &p->timers[i->b & 3];

	*next = (*next ? *next : clock_ns) + i->a;
	if (*next <= clock_ns && i->c)
		*next = clock_ns;
	return sleep_until(c, p, *next);
}

static void fork_tasks(struct task *by, u64 first, u64 count)
{
	for (u64 id = first; id < first + (count ? count : 1); id++) {
		struct task *p = &tasks[id];

		if (p->state != T_NEW) {
			stop(V_PLAN_ERROR, 0, "%s[%d] forks a task that is there already: %s[%d]", by->comm, by->pid,
			     p->comm, p->pid);
			return;
		}
		p->cpu = by->cpu;
		wake(p, by->id + 1, WF_FORK);
	}
}

static void loop(struct task *p, const struct insn *i)
{
	u32 *counter = &p->loops[i->c & 3];

	if (i->b && ++*counter >= i->b)
		*counter = 0;
	else
		p->pc = i->a;
}

static void set_nice(struct cpu *c, struct task *p, s64 nice)
{
	if (p->realtime)
		return;
	sched->dequeue(c, p, DEQUEUE_SAVE);
	p->nice = nice;
	p->weight = nice_weights[nice + 20];
	sched->weight_changed(p);
	sched->enqueue(c, p, ENQUEUE_RESTORE);
	sched->set_next(c, p);
}

static int set_cpus(struct cpu *c, struct task *p, s64 cpuset)
{
	if (first_of_both(&cpusets[cpuset], &online_cpus) < 0) /* __set_cpus_allowed_ptr(), core.c 6.18: EINVAL */
		return 1;
	sched->dequeue(c, p, DEQUEUE_SAVE);
	p->allowed = &cpusets[cpuset];
	p->nr_allowed = cpuset_sizes[cpuset];
	sched->cpus_changed(p);
	sched->enqueue(c, p, ENQUEUE_RESTORE);
	sched->set_next(c, p);
	if (allowed(p, c->id))
		return 1;
	p->moving = 1;
	block(c, p, DEQUEUE_MIGRATING);
	return 0;
}

static void request_ends(struct cpu *c, struct task *p)
{
	u64 took = clock_ns - p->begin_ns;

	count_time(p->label, H_REQUEST, took);
	trace(8, c->id, p->id, took);
}

/* One step that may block. */
static int step_waiting(struct cpu *c, struct task *p, const struct insn *i)
{
	struct sync *s = &syncs[i->a];

	switch (i->op) {
	case O_WAIT: return sem_wait(s, c, p, i->b ? i->b : 1);
	case O_LOCK: return lock(s, c, p);
	case O_BARRIER: return barrier(s, c, p);
	case O_SEND: return send(s, c, p, i->b ? p->begin_ns : clock_ns);
	case O_RECV: return receive(s, c, p);
	case O_SUSPEND: return suspend(s, c, p, i->b);
	case O_SLEEP: return sleep_until(c, p, clock_ns + i->a);
	case O_SLEEP_TABLE: return sleep_until(c, p, clock_ns + draw(p, i->a));
	case O_TIMER: return timer(c, p, i);
	case O_AFFINITY: return set_cpus(c, p, i->a);
	case O_YIELD:
		p->yields = 1;
		if (!p->realtime)
			sched->yield(c, p);
		c->need_resched = 1;
		return 0;
	}
	block(c, p, DEQUEUE_SLEEP | DEQUEUE_DEAD);
	p->done = clock_ns;
	tasks_left--;
	trace(4, c->id, p->id, 0);
	return 0;
}

/* One step; 0 when the task is to leave the CPU. */
static int step(struct cpu *c, struct task *p, const struct insn *i)
{
	switch (i->op) {
	case O_RUN: p->work = i->a * FULL; return 1;
	case O_RUN_TABLE: p->work = draw(p, i->a) * FULL; return 1;
	case O_POST: sem_post(&syncs[i->a], p, i->b ? i->b : 1); return 1;
	case O_UNLOCK: unlock(&syncs[i->a], p); return 1;
	case O_SIGNAL: signal(&syncs[i->a], p, i->b); return 1;
	case O_FORK: fork_tasks(p, i->a, i->b); return 1;
	case O_LOOP: loop(p, i); return 1;
	case O_JUMP: p->pc = i->a; return 1;
	case O_NICE: set_nice(c, p, i->a); return 1;
	case O_BEGIN: p->begin_ns = clock_ns; return 1;
	case O_END: request_ends(c, p); return 1;
	default: return step_waiting(c, p, i);
	}
}

/* The current task's work is done: go on with its program until there is work again or it leaves the CPU. */
static void run_program(struct cpu *c, struct task *p)
{
	static const struct insn end = { O_EXIT, 0, 0, 0 };

	while (!p->work && !stopped) {
		const struct insn *i = p->pc < p->length ? &p->program[p->pc] : &end;

		if (++p->steps > MAX_STEPS) {
			stop(V_PLAN_ERROR, 0, "the program of %s[%d] goes on without time going on, at step %u", p->comm,
			     p->pid, p->pc);
			return;
		}
		if (p->relock) {
			u32 mutex = p->relock - 1;

			p->relock = 0;
			if (syncs[mutex].value)
				p->pc++; /* lock() takes one step back to try again */
			if (!lock(&syncs[mutex], c, p)) {
				p->relock = syncs[mutex].value ? mutex + 1 : 0;
				return;
			}
			if (syncs[mutex].value)
				p->pc--;
			continue;
		}
		p->pc++;
		if (!step(c, p, i))
			return;
	}
}
