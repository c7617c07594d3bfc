/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is runnable, who runs where: wake-ups, blocking, and a CPU's choice of what to run. */
#include "engine.h"
#include "sched_class.h"

/* So many decisions of one CPU, or steps of one program, without time going on are an endless loop. */
#define MAX_ROUNDS 10000

/* The CPU whose event is being handled: it is armed anew at the end of that. */
static struct cpu *handling;

int allowed(const struct task *p, s32 cpu)
{
	return cpu >= 0 && (u32)cpu < machine.nr_cpus && mask_test(p->allowed, cpu) && !cpus[cpu].offline;
}

static s32 first_of_both(const struct mask *a, const struct mask *b)
{
	for (u32 w = 0; w < MASK_WORDS; w++) {
		if (a->w[w] & b->w[w])
			return w * 64 + __builtin_ctzll(a->w[w] & b->w[w]);
	}
	return -1;
}

/*
 * The first CPU that it may use. When all of those are offline it may use all CPUs from now on: the end of
 * select_fallback_rq() (kernel/sched/core.c, 6.18), in the root cpuset.
 */
static s32 first_allowed(struct task *p)
{
	s32 cpu = first_of_both(p->allowed, &online_cpus);

	if (likely(cpu >= 0))
		return cpu;
	p->allowed = &all_cpus;
	p->nr_allowed = machine.nr_cpus;
	if (!p->realtime && p->state != T_NEW)
		sched->cpus_changed(p);
	return first_of_both(p->allowed, &online_cpus);
}

/* Set the CPU's next event from what it does now. */
static void rearm(struct cpu *c)
{
	struct task *p = c->curr;
	u64 room;

	if (c == handling || (c->need_resched && !p)) /* an idle CPU is on its way out already */
		return;
	if (!p) {
		at(c->id, NEVER);
		return;
	}
	room = c->tick_at - c->seen;
	if (c->need_resched)
		at(c->id, clock_ns);
	else if (p->cost > room || p->work > (room - p->cost) * c->speed)
		at(c->id, c->tick_at);
	else if (c->speed == FULL)
		at(c->id, c->seen + p->cost + (p->work + FULL - 1) / FULL);
	else
		at(c->id, c->seen + p->cost + (p->work + c->speed - 1) / c->speed);
}

void resched(struct cpu *c)
{
	if (c->need_resched)
		return;
	c->need_resched = 1;
	if (c == handling)
		return;
	at(c->id, c->curr ? clock_ns : clock_ns + exit_latency(c));
}

void settle(struct cpu *c)
{
	struct task *p = c->curr;
	u64 delta = clock_ns - c->seen, paid, done;

	if (!delta || !p)
		return;
	c->seen = clock_ns;
	c->busy_ns += delta;
	p->steps = 0;
	p->cpu_ns += delta;
	paid = delta < p->cost ? delta : p->cost;
	p->cost -= paid;
	done = (delta - paid) * c->speed;
	p->work = p->work > done ? p->work - done : 0;
	sched->charge(c, p, delta);
}

void migrate(struct task *p, struct cpu *to)
{
	p->cpu = to->id;
}

/* select_fallback_rq() (kernel/sched/core.c, 6.18): the first CPU that it may use in the node it was in, then anywhere. */
static s32 fallback_cpu(struct task *p)
{
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		if (cpus[i].node == cpus[p->cpu].node && allowed(p, i))
			return i;
	}
	return first_allowed(p);
}

static s32 place_for(struct task *p, u32 wake_flags)
{
	s32 cpu = p->nr_allowed > 1 && !p->realtime ? sched->select_cpu(p, p->cpu, wake_flags) : first_allowed(p);

	return allowed(p, cpu) ? cpu : fallback_cpu(p);
}

static void queue_task(struct task *p, u32 flags)
{
	struct cpu *c = &cpus[p->cpu];

	p->state = T_QUEUED;
	p->runnable = 1;
	wait_begins(p);
	if (p->realtime)
		realtime_add(c, p);
	else
		sched->enqueue(c, p, flags);
	if (!c->curr || (p->realtime && !c->curr->realtime))
		resched(c);
}

/* A task that blocked goes on, or a new one begins. waker: 1 + task, 0 for a timer or an arrival. */
static void wake(struct task *p, u32 waker, u32 wake_flags)
{
	u32 flags = ENQUEUE_WAKEUP;

	if (p->state == T_NEW) {
		flags = ENQUEUE_NEW;
		if (!allowed(p, p->cpu))
			p->cpu = first_allowed(p);
		p->state = T_BLOCKED;
		p->arrival = clock_ns;
		sched->task_new(p);
		wake_flags = WF_FORK;
	}
	counts.wakeups++;
	p->wakeups++;
	p->woke = 1;
	trace(3, this_cpu, p->id, waker);
	p->cpu = place_for(p, wake_flags);
	queue_task(p, flags);
}

/* The current task cannot go on; the CPU chooses somebody else at the end of its event. */
static void block(struct cpu *c, struct task *p, u32 flags)
{
	p->runnable = 0;
	p->state = flags & DEQUEUE_DEAD ? T_DEAD : T_BLOCKED;
	if (!p->realtime)
		sched->dequeue(c, p, flags);
	c->need_resched = 1;
}

static void pay_migration(struct cpu *c, struct task *p)
{
	const struct cpu *from = &cpus[p->ran_on];
	u32 distance = from->node != c->node ? 2 : from->llc != c->llc;

	p->migrations[distance]++;
	p->cost += machine.migrate_ns[distance];
	trace(5, c->id, p->id, p->ran_on);
}

static void idle_begins(struct cpu *c)
{
	c->idle_since = c->tick_at = clock_ns;
	c->waste_mark = waste_now();
	trace(6, c->id, ~0U, 0);
	tell_siblings(c);
	sched->idle(c, 1);
}

static void idle_ends(struct cpu *c)
{
	book_idle(c);
	frequency_after_idle(c, clock_ns - c->tick_at);
	c->tick_at = (clock_ns / machine.tick_ns + 1) * machine.tick_ns;
	c->seen = clock_ns;
	sched->idle(c, 0);
}

static void goes_off(struct cpu *c, struct task *p, struct task *next)
{
	trace(2, c->id, p->id, p->runnable);
	if (p->runnable) {
		p->state = T_QUEUED;
		p->preemptions++;
		p->woke = 0;
		wait_begins(p);
		sched->put_prev(c, p, next);
	}
}

static void goes_on(struct cpu *c, struct task *p)
{
	u64 waited = clock_ns - p->since;

	wait_ends(p);
	if (p->woke)
		count_time(p->label, H_WAKEUP, waited);
	if (p->first_run == NEVER)
		p->first_run = clock_ns;
	p->cost += machine.switch_ns;
	p->switches++;
	if (p->ran_on >= 0 && p->ran_on != c->id)
		pay_migration(c, p);
	p->ran_on = p->cpu = c->id;
	p->state = T_RUNNING;
	trace(1, c->id, p->id, waited);
	if (!p->realtime)
		sched->set_next(c, p);
}

/* A task whose CPUs no longer include the one it ran on has left it: queue it elsewhere. */
static void send_away(struct task *p)
{
	p->moving = 0;
	p->cpu = first_allowed(p);
	p->woke = 0;
	queue_task(p, ENQUEUE_MIGRATING);
}

/* The scheduler looks for work even when a task above it waits: put_prev_balance() of 6.18 begins with sched_ext. */
static struct task *choose(struct cpu *c, struct task *prev)
{
	struct task *next;

	if (prev && prev->realtime && prev->runnable)
		return prev;
	next = sched->pick(c, prev && prev->realtime ? NULL : prev);
	return c->realtime_first ? realtime_pick(c) : next;
}

static void schedule(struct cpu *c)
{
	struct task *prev = c->curr, *next;

	c->need_resched = 0;
	counts.decisions++;
	if (c->decided_at != clock_ns) {
		c->decided_at = clock_ns;
		c->rounds = 0;
	}
	if (++c->rounds > MAX_ROUNDS)
		stop(V_FAULT, 0, "CPU %d decides again and again without time going on", c->id);
	next = choose(c, prev);
	if (prev)
		prev->yields = 0;
	if (next == prev) {
		if (sched->switched)
			sched->switched(c);
		return;
	}
	if (prev)
		goes_off(c, prev, next);
	c->curr = next;
	if (next) {
		if (!prev)
			idle_ends(c);
		goes_on(c, next);
		if (!prev)
			tell_siblings(c);
		set_speed(c);
	} else {
		idle_begins(c);
	}
	if (sched->switched)
		sched->switched(c);
	if (prev && prev->state == T_DEAD)
		sched->task_dead(prev);
	else if (prev && prev->moving)
		send_away(prev);
}
