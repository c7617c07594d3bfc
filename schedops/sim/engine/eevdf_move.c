/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks that change the CPU because of balancing: waiting ones by detach_tasks(), a running one by active balance. */
#include "eevdf.h"

#define MOVE_MAX 32 /* sysctl_sched_nr_migrate */

/* task_hot(): it ran here a moment ago, its cache is warm. */
static int task_hot(const struct balance *b, struct task *p)
{
	u64 ran = fair_of(p)->exec_start;

	return ran && !b->domain->smt && clock_ns - ran < FAIR_MIGRATION_COST;
}

/* can_migrate_task(), LBF_DST_PINNED */
static void note_bound(struct balance *b, struct task *p)
{
	const struct fair_group *g = &b->domain->groups[b->level->local];

	for (u32 i = 0; i < g->nr && b->instead < 0 && b->idle != I_NEWLY; i++) {
		if (allowed(p, g->cpus[i]))
			b->instead = g->cpus[i];
	}
}

/* can_migrate_task() */
static int may_move(struct balance *b, struct task *p)
{
	if (!allowed(p, b->to->cpu->id)) {
		note_bound(b, p);
		return 0;
	}
	b->pinned = 0;
	if (p == b->from->curr)
		return 0;
	return !task_hot(b, p) || b->level->failed > b->domain->patience;
}

/* detach_tasks(): does this one fit into what is to be moved? It is taken off the amount. */
static int takes(struct balance *b, struct task *p)
{
	u64 size;

	switch (b->what) {
	case M_TASKS:
		b->amount--;
		return 1;
	case M_MISFIT:
		if (fits_cpu(p, b->from->cpu->id))
			return 0;
		b->amount = 0;
		return 1;
	default:
		avg_update_task(p);
		size = b->what == M_LOAD ? task_h_load(p) : fair_of(p)->avg.util;
		if (b->what == M_LOAD && !size)
			size = 1;
		if ((s64)(b->level->failed < 63 ? size >> b->level->failed : 0) > b->amount)
			return 0;
		b->amount -= size;
		return 1;
	}
}

/* detach_task() and attach_task() */
static void move_task(struct task *p, struct fair_rq *from, struct fair_rq *to)
{
	task_leaves(from, p, 0);
	migrate(p, to->cpu);
	task_enters(to, p, 0);
}

/* An idle CPU that got something begins; but not the one that is choosing now (newly idle). */
static void arrived(struct balance *b, struct task *p)
{
	if (b->idle == I_NEWLY)
		return;
	if (b->to->cpu->curr)
		check_preempt(b->to, p);
	else
		resched(b->to->cpu);
}

/* detach_tasks(), attach_tasks(): how many moved. Those that stay are the last ones to be looked at the next time. */
static u32 move_tasks(struct balance *b)
{
	struct task *p = b->from->list_last, *next;
	u32 moved = 0, most = b->from->nr < MOVE_MAX ? b->from->nr : MOVE_MAX;

	b->instead = -1;
	b->pinned = b->from->nr > 1;
	if (b->from->nr <= 1)
		return 0;
	settle(b->from->cpu);
	settle(b->to->cpu);
	for (u32 looked = 0; p && b->amount > 0 && looked < most; p = next, looked++) {
		next = fair_of(p)->list_prev;
		if (b->idle != I_BUSY && b->from->nr <= 1)
			break;
		if (!may_move(b, p) || !takes(b, p)) {
			fair_list_del(b->from, p);
			fair_list_add(b->from, p);
			continue;
		}
		move_task(p, b->from, b->to);
		arrived(b, p);
		moved++;
		if (b->idle == I_NEWLY)
			break;
	}
	return moved;
}

/* need_active_balance(): a misfit, or nothing else has worked for long (a core is shared without need). */
static int wants_push(const struct balance *b)
{
	const struct task *p = b->from->curr;

	if (!p || b->from->push || !allowed(p, b->to->cpu->id))
		return 0;
	if (b->what == M_MISFIT)
		return 1;
	/* imbalanced_active_balance() */
	return b->what == M_TASKS && b->level->failed > b->domain->patience + 2U;
}

/* active_load_balance_cpu_stop(), the order: the running task is taken off as soon as its CPU chooses. */
static void push_order(struct balance *b)
{
	b->from->push = b->from->curr;
	b->from->push_to = b->to->cpu->id;
	b->level->failed = 0;
	resched(b->from->cpu);
}

/* active_load_balance_cpu_stop(), carried out by pick: the task is off before the CPU looks for another one. */
static void push_running(struct fair_rq *from)
{
	struct fair_rq *to = &fair_rqs[from->push_to];
	struct task *p = from->push;

	from->push = NULL;
	if (from->curr != p || !p->runnable || p->nr_allowed == 1 || !allowed(p, to->cpu->id) || !fair_idle_cpu(to->cpu->id))
		return;
	put_chain(from);
	move_task(p, from, to);
	resched(to->cpu);
}
