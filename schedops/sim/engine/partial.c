/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy with SCX_OPS_SWITCH_PARTIAL: tasks that ask for SCHED_EXT are its own, all others are the fair class's, which
 * is above sched_ext's (SCHED_CLASSES, include/asm-generic/vmlinux.lds.h; 6.12 and later).
 */
#include "scx.h"

static const struct sched_class *class_of(const struct task *p)
{
	return p->ext ? &scx_class : &eevdf_class;
}

static int partial_init(void)
{
	return 0; /* scx_init() has done it */
}

/* The policy's ops.init_task() and ops.exit_task() hear of every task, ops.enable() only of its own. */
static void partial_task_new(struct task *p)
{
	scx_task_new(p);
	if (!p->ext)
		fair_task_new(p);
}

static void partial_task_dead(struct task *p)
{
	scx_task_dead(p);
	if (!p->ext && !p->realtime)
		fair_task_dead(p);
}

static int partial_select_cpu(struct task *p, int prev_cpu, u32 wake_flags)
{
	return class_of(p)->select_cpu(p, prev_cpu, wake_flags);
}

static void partial_enqueue(struct cpu *c, struct task *p, u32 flags)
{
	class_of(p)->enqueue(c, p, flags);
}

static void partial_dequeue(struct cpu *c, struct task *p, u32 flags)
{
	class_of(p)->dequeue(c, p, flags);
}

/*
 * put_prev_balance() of 6.18 begins with the class of the task that came off, or with sched_ext if that is higher than
 * it, and ends where something is found: ops.dispatch() is called on a CPU that idled or ran a task of the policy even
 * when a fair task is there, and the fair class pulls tasks only to a CPU that it had itself.
 */
static struct task *partial_pick(struct cpu *c, struct task *prev)
{
	struct task *own = prev && prev->ext ? prev : NULL, *next;
	int fair_first = prev && !prev->ext;

	if (!fair_first)
		balance(c, own);
	next = fair_choose(c, fair_first);
	if (!next && fair_first)
		balance(c, NULL);
	switch_begins(c);
	return next || c->realtime_first ? next : scx_choose(c, own);
}

static void partial_put_prev(struct cpu *c, struct task *prev, struct task *next)
{
	class_of(prev)->put_prev(c, prev, next);
}

static void partial_set_next(struct cpu *c, struct task *p)
{
	class_of(p)->set_next(c, p);
}

static void partial_charge(struct cpu *c, struct task *p, u64 delta)
{
	if (!p->ext)
		fair_charge(c, p, delta);
	scx_charge(c, p, delta);
}

/* sched_tick() balances the fair tasks of others whoever runs here (scx_switched_all() is false). */
static void partial_tick(struct cpu *c, struct task *p)
{
	class_of(p)->tick(c, p);
	if (p->ext)
		balance_trigger(&fair_rqs[c->id]);
}

static void partial_yield(struct cpu *c, struct task *p)
{
	class_of(p)->yield(c, p);
}

static void partial_weight_changed(struct task *p)
{
	if (p->ext) {
		scx_weight_changed(p);
		return;
	}
	theirs.weight(p->id, 120 + p->nice, scx_weight(p));
	fair_weight_changed(p);
}

static void partial_cpus_changed(struct task *p)
{
	if (p->ext)
		scx_cpus_changed(p);
	else
		show_mask(p);
}

static void partial_idle(struct cpu *c, int idle)
{
	fair_idle_changed(c, idle);
	scx_idle(c, idle);
}

static void partial_drain(struct cpu *c)
{
	fair_drain(c);
	scx_drain(c);
}

/* The domains are made anew before the policy is told (cpuset_cpu_active(), scx_rq_activate(): core.c, 6.18). */
static void partial_hotplug(struct cpu *c, int online)
{
	fair_hotplug(c, online);
	scx_hotplug(c, online);
}

const struct sched_class partial_class = {
	.init = partial_init,
	.task_new = partial_task_new,
	.task_dead = partial_task_dead,
	.select_cpu = partial_select_cpu,
	.enqueue = partial_enqueue,
	.dequeue = partial_dequeue,
	.pick = partial_pick,
	.put_prev = partial_put_prev,
	.set_next = partial_set_next,
	.charge = partial_charge,
	.tick = partial_tick,
	.yield = partial_yield,
	.weight_changed = partial_weight_changed,
	.cpus_changed = partial_cpus_changed,
	.idle = partial_idle,
	.switched = scx_switched,
	.drain = partial_drain,
	.hotplug = partial_hotplug,
	.watchdog = scx_watchdog,
};
