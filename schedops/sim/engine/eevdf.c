/* SPDX-License-Identifier: GPL-2.0-only */
/* The default scheduler as a class of the engine: tasks come, run, and go. See eevdf.h for what it models. */
#include "eevdf.h"
#include "eevdf_avg.c"
#include "eevdf_tree.c"
#include "eevdf_entity.c"
#include "eevdf_group.c"
#include "eevdf_topology.c"
#include "eevdf_idle.c"
#include "eevdf_run.c"
#include "eevdf_select.c"
#include "eevdf_fork.c"
#include "eevdf_stats.c"
#include "eevdf_move.c"
#include "eevdf_balance.c"

static int fair_init(void)
{
	avg_init();
	fair_random = 1;
	fair_rqs = alloc((u64)machine.nr_cpus * sizeof(*fair_rqs));
	/* get_update_sysctl_factor(): logarithmic, up to 8 CPUs */
	fair_slice = FAIR_BASE_SLICE * (1 + 31 - __builtin_clz(machine.nr_cpus < 8 ? machine.nr_cpus : 8));
	group_init();
	for (u32 cpu = 0; cpu < machine.nr_cpus; cpu++) {
		fair_rqs[cpu].cpu = &cpus[cpu];
		fair_rqs[cpu].root = fair_queue_of(0, cpu);
		fair_rqs[cpu].avg_idle = 2 * FAIR_MIGRATION_COST; /* sched_init(), kernel/sched/core.c */
	}
	topology_init();
	return 0;
}

/* init_entity_runnable_average(), and a place at the virtual time of its first queue. */
static void fair_task_new(struct task *p)
{
	struct fair_task *t = fair_of(p);

	t->e.weight = (u64)p->weight << 10;
	t->e.heap = random_next(&fair_random);
	t->e.queue = NULL;
	t->avg.last = clock_ns;
	t->avg.load = p->weight;
	t->avg.load_sum = AVG_MAX - 1024;
	t->recent = -1;
	t->last_wakee = ~0U;
}

/* task_dead_fair() */
static void fair_task_dead(struct task *p)
{
	avg_move(p, fair_of(p)->e.queue, NULL);
}

/* put_prev_task_fair(); nothing when it was pushed to another CPU. */
static void fair_put_prev(struct cpu *c, struct task *prev, struct task *next)
{
	if (fair_rqs[c->id].curr == prev)
		put_chain(&fair_rqs[c->id]);
}

/* set_next_task_fair() */
static void fair_set_next(struct cpu *c, struct task *p)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	if (rq->curr)
		put_chain(rq);
	set_chain(rq, p);
	update_misfit(rq);
}

/* pick_task_fair(), pick_next_entity(). pulls: an empty queue looks for tasks of others (balance_fair()). */
static struct task *fair_choose(struct cpu *c, int pulls)
{
	struct fair_rq *rq = &fair_rqs[c->id];
	struct fair_queue *q;
	struct fair_entity *e;

	rq->lazy = 0;
	if (rq->push)
		push_running(rq);
	for (;;) {
		if (!rq->root->nr && !(pulls && balance_newidle(rq)))
			return NULL;
		update_deadlines(rq);
		q = rq->root;
		do {
			e = pick_eevdf(q);
			if (e->delayed)
				break;
			q = e->mine;
		} while (q);
		if (!e->delayed)
			return fair_task(e);
		leave_all(e, 1, 1);
	}
}

static struct task *fair_pick(struct cpu *c, struct task *prev)
{
	return fair_choose(c, 1);
}

/* update_curr(): virtual time goes on at every level. */
static void fair_charge(struct cpu *c, struct task *p, u64 delta)
{
	struct fair_task *t = fair_of(p);

	if (unlikely(p->realtime))
		return;
	t->exec_start = clock_ns;
	if (fair_rqs[c->id].lazy && this_cpu == c->id)
		resched(c);
	for (struct fair_entity *e = &t->e; e; e = e->parent)
		e->vruntime += virtual(delta, e->weight);
}

/* task_tick_fair(), entity_tick(), sched_balance_trigger() */
static void fair_tick(struct cpu *c, struct task *p)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	avg_update_task(p);
	avg_update_queue(rq->root);
	if (update_deadlines(rq))
		resched(c);
	for (struct fair_entity *e = fair_of(p)->e.parent; e; e = e->parent)
		update_shares(e);
	update_misfit(rq);
	balance_trigger(rq);
}

/* yield_task_fair() as of commit 79104becf42b (6.19, and stable 6.18): what is left of the request is given up. */
static void fair_yield(struct cpu *c, struct task *p)
{
	struct fair_entity *e = &fair_of(p)->e;

	if (fair_rqs[c->id].nr == 1)
		return;
	update_deadlines(&fair_rqs[c->id]);
	if (!eligible(e->queue, e))
		return;
	e->vruntime = e->deadline;
	e->deadline += virtual(fair_slice, e->weight);
}

/* reweight_task_fair(): it is off its queue; its lag and request keep their real size. */
static void fair_weight_changed(struct task *p)
{
	reweight(&fair_of(p)->e, (u64)p->weight << 10);
}

static void fair_idle_changed(struct cpu *c, int idle)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	if (!idle) {
		update_avg_idle(rq);
		idle_clear(rq); /* for a task of another class, too */
		return;
	}
	if (rq->curr)
		put_chain(rq);
	rq->idle_since = clock_ns;
	idle_begins_balancing(rq);
	if (!nr_running(rq) && !c->offline)
		idle_set(rq);
}

/* Who waits goes elsewhere; who sleeps in the queue until its lag is gone has left it now. */
static void fair_drain(struct cpu *c)
{
	struct fair_rq *rq = &fair_rqs[c->id];

	for (struct task *p = rq->list_last, *next; p; p = next) {
		next = fair_of(p)->list_prev;
		if (p != rq->curr)
			evict(p);
	}
	for (u32 i = 0; i < nr_tasks; i++) {
		struct fair_entity *e = &fair_of(&tasks[i])->e;

		if (!tasks[i].ext && e->delayed && e->queue->rq == rq)
			leave_all(e, 1, 1);
	}
}

/* rq_offline_fair(): clear_tg_offline_cfs_rqs() */
static void forget_loads(s32 cpu)
{
	for (u32 cgroup = 1; cgroup < nr_cgroups; cgroup++) {
		struct fair_queue *q = fair_queue_of(cgroup, cpu);

		fair_loads[cgroup] -= q->told;
		q->told = 0;
	}
}

static void fair_hotplug(struct cpu *c, int online)
{
	if (online) {
		fair_rqs[c->id].idle_since = clock_ns;
		if (!nr_running(&fair_rqs[c->id]))
			idle_set(&fair_rqs[c->id]);
	} else {
		mask_clear(&fair_idle, c->id);
		core_changed(c);
		forget_loads(c->id);
	}
	domains_make();
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		if (fair_idle_cpu(i))
			idle_begins_balancing(&fair_rqs[i]);
	}
}

const struct sched_class eevdf_class = {
	.init = fair_init,
	.task_new = fair_task_new,
	.task_dead = fair_task_dead,
	.select_cpu = fair_select_cpu,
	.enqueue = fair_enqueue,
	.dequeue = fair_dequeue,
	.pick = fair_pick,
	.put_prev = fair_put_prev,
	.set_next = fair_set_next,
	.charge = fair_charge,
	.tick = fair_tick,
	.yield = fair_yield,
	.weight_changed = fair_weight_changed,
	.cpus_changed = no_task,
	.idle = fair_idle_changed,
	.drain = fair_drain,
	.hotplug = fair_hotplug,
	.watchdog = no_watchdog,
};
