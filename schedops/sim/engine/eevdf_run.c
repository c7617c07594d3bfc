/* SPDX-License-Identifier: GPL-2.0-only */
/* One CPU's run queue: who is there, who runs, and when a newcomer preempts. */
#include "eevdf.h"

static void fair_list_add(struct fair_rq *rq, struct task *p)
{
	struct fair_task *t = fair_of(p);

	t->list_prev = NULL;
	t->list_next = rq->list_first;
	if (rq->list_first)
		fair_of(rq->list_first)->list_prev = p;
	else
		rq->list_last = p;
	rq->list_first = p;
}

static void fair_list_del(struct fair_rq *rq, struct task *p)
{
	struct fair_task *t = fair_of(p);

	if (t->list_prev)
		fair_of(t->list_prev)->list_next = t->list_next;
	else
		rq->list_first = t->list_next;
	if (t->list_next)
		fair_of(t->list_next)->list_prev = t->list_prev;
	else
		rq->list_last = t->list_prev;
}

/*
 * resched_curr_lazy(), kernel/sched/core.c: what runs in user space is not interrupted by another CPU. It leaves at its
 * next system call (here: the end of a step), interrupt or tick.
 */
static void resched_lazy(struct fair_rq *rq)
{
	if (rq->cpu->id == this_cpu)
		resched(rq->cpu);
	else
		rq->lazy = 1;
}

/* put_prev_entity(), all the way up */
static void put_chain(struct fair_rq *rq)
{
	struct task *p = rq->curr;

	avg_update_task(p);
	avg_update_queue(rq->root);
	rq->curr = NULL;
	fair_misfits -= rq->misfit != 0;
	rq->misfit = 0;
	for (struct fair_entity *e = &fair_of(p)->e; e; e = e->parent) {
		e->queue->curr = NULL;
		e->left_at = clock_ns;
		line_enter(e->queue, e);
	}
}

/* set_next_entity(). Cgroups that stay current keep their protection: the kernel does not put them. */
static void set_chain(struct fair_rq *rq, struct task *p)
{
	avg_update_task(p);
	avg_update_queue(rq->root);
	rq->curr = p;
	rq->lazy = 0;
	fair_of(p)->exec_start = clock_ns;
	fair_list_del(rq, p);
	fair_list_add(rq, p);
	for (struct fair_entity *e = &fair_of(p)->e; e; e = e->parent) {
		line_leave(e->queue, e);
		e->queue->curr = e;
		if (!e->mine || e->left_at != clock_ns)
			protect(e);
	}
}

/* update_curr(): 1 when a request is served and somebody else waits for this level. */
static int update_deadlines(struct fair_rq *rq)
{
	int wanted = 0;

	if (!rq->curr)
		return 0;
	for (struct fair_entity *e = &fair_of(rq->curr)->e; e; e = e->parent) {
		int served = update_deadline(e);

		if (e->queue->nr > 1 && (served || !is_protected(e)))
			wanted = 1;
	}
	return wanted;
}

/* task_fits_cpu(); what is too much for the fastest CPU fits there. */
static int fits_cpu(struct task *p, s32 cpu)
{
	return !fair_asym || cpus[cpu].capacity == FULL || avg_fits(util_estimate(p), cpus[cpu].capacity);
}

/* update_misfit_status() */
static void update_misfit(struct fair_rq *rq)
{
	u64 before = rq->misfit;

	if (!fair_asym)
		return;
	rq->misfit = 0;
	if (rq->curr && rq->curr->nr_allowed > 1 && !fits_cpu(rq->curr, rq->cpu->id))
		rq->misfit = task_h_load(rq->curr) + 1;
	fair_misfits += (rq->misfit != 0) - (before != 0);
}

/* check_preempt_wakeup_fair(): at the level where both are in one queue, would the newcomer be picked? */
static void check_preempt(struct fair_rq *rq, struct task *p)
{
	struct fair_entity *a = &fair_of(p)->e, *b;
	u32 depth;

	if (unlikely(rq->cpu->curr && rq->cpu->curr->ext)) { /* wakeup_preempt(), core.c: a class below runs */
		resched(rq->cpu);
		return;
	}
	if (!rq->curr || rq->curr == p || rq->cpu->need_resched)
		return;
	b = &fair_of(rq->curr)->e;
	depth = cgroups[p->cgroup].level;
	for (u32 other = cgroups[rq->curr->cgroup].level; other > depth; other--)
		b = b->parent;
	for (; depth > cgroups[rq->curr->cgroup].level; depth--)
		a = a->parent;
	while (a->queue != b->queue) {
		a = a->parent;
		b = b->parent;
	}
	if (pick_eevdf(b->queue) == a)
		resched_lazy(rq);
}

static void task_leaves(struct fair_rq *rq, struct task *p, int sleeps)
{
	struct fair_entity *e = &fair_of(p)->e;

	avg_update_task(p);
	avg_update_queue(rq->root);
	fair_list_del(rq, p);
	if (sleeps)
		update_estimate(p);
	leave_all(e, sleeps, 0);
	count_task(rq, -1);
}

/* post_init_entity_util_avg(): a new task is thought to use half of what is left of the CPU, or less. */
static void guess_util(struct fair_rq *rq, struct task *p)
{
	const struct fair_avg *there = &rq->root->avg;
	struct fair_task *t = fair_of(p);
	u64 room = rq->cpu->capacity > there->util ? (rq->cpu->capacity - there->util) / 2 : 0, util = room;

	if (there->util)
		util = (u64)there->util * p->weight / (there->load + 1);
	t->avg.util = util < room ? util : room;
	t->avg.util_sum = (u64)t->avg.util * (AVG_MAX - 1024);
	t->avg.runnable = t->avg.util;
	t->avg.runnable_sum = t->avg.util_sum;
}

static void task_enters(struct fair_rq *rq, struct task *p, int is_new)
{
	struct fair_entity *e = &fair_of(p)->e;
	struct fair_queue *q = fair_queue_of(p->cgroup, rq->cpu->id);

	avg_update_task(p);
	if (is_new)
		guess_util(rq, p);
	if (e->delayed && e->queue != q)
		leave_all(e, 1, 1);
	if (e->queue != q) {
		avg_move(p, e->queue, q);
		fair_of(p)->exec_start = 0; /* enqueue_entity(): no longer hot */
		e->queue = q;
		e->parent = q->owner;
	}
	if (e->delayed)
		wake_delayed(e);
	else
		enter_all(e, is_new);
	fair_list_add(rq, p);
	count_task(rq, 1);
}

static void fair_enqueue(struct cpu *c, struct task *p, u32 flags)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	settle(c);
	if (update_deadlines(rq))
		resched_lazy(rq);
	task_enters(rq, p, flags & ENQUEUE_NEW);
	if (!(flags & ENQUEUE_RESTORE))
		check_preempt(rq, p);
}

static void fair_dequeue(struct cpu *c, struct task *p, u32 flags)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	update_deadlines(rq);
	if (rq->curr == p)
		put_chain(rq);
	task_leaves(rq, p, flags & DEQUEUE_SLEEP && !(flags & DEQUEUE_DEAD));
}
