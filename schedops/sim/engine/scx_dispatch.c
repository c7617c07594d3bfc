/* SPDX-License-Identifier: GPL-2.0-only */
/* A CPU looks for work: balance_one(), flush_dispatch_buf(), pick_task_scx(), put_prev and set_next. */
#include "scx.h"

static struct {
	struct task *task;
	u64 qseq, dsq_id, enq_flags;
} buffer[MAX_BATCH];
static u32 buffered, consumed; /* the kernel's dspc: cursor and nr_tasks */
static s32 dispatch_cpu;
static struct task *leaves; /* in_switch: the current task until the next one is there */

/*
 * flush_dispatch_buf() and finish_dispatch(): what was taken back or dispatched meanwhile is passed over, but counts as
 * dispatched: ops.dispatch() is called again.
 */
static void flush_buffer(void)
{
	for (u32 i = 0; i < buffered; i++) {
		struct task *p = buffer[i].task;
		struct scx_task *s = scx_of(p);

		if (!p->ext || s->ops_state != OPS_QUEUED || s->qseq != buffer[i].qseq)
			continue;
		insert(p, dispatch_cpu, buffer[i].dsq_id, buffer[i].enq_flags);
	}
	consumed += buffered;
	buffered = 0;
}

static void move_to(struct task *p, struct cpu *c)
{
	dsq_remove(p);
	take_to(p, c);
	dsq_add(local_dsq(c->id), p, 0);
}

/* consume_dispatch_q(): the first task that may run on this CPU. */
static int consume(struct dsq *d, struct cpu *c)
{
	for (struct task *p = d->first; p; p = scx_of(p)->next) {
		if (allowed(p, c->id)) {
			move_to(p, c);
			return 1;
		}
	}
	return 0;
}

static int prev_goes_on(struct task *prev)
{
	return prev && scx_of(prev)->flags & SCX_TASK_QUEUED && theirs.slice(prev->id);
}

/*
 * balance_one() of 6.18. Sets keep when the task that came off goes on: before anything else if it has slice left, after
 * a dispatch if that gave it some, and in the end if there is nothing else and the policy does not want SCX_ENQ_LAST.
 */
static void balance(struct cpu *c, struct task *prev)
{
	struct scx_cpu *s = scx_cpu_of(c);
	u32 loops = SCX_DSP_MAX_LOOPS;

	if (unlikely(s->released)) {
		OP_CALL(KF_REST, cpu_acquire, c->id, 0);
		s->released = 0;
	}
	s->keep = prev_goes_on(prev);
	if (s->keep || s->local.nr || c->offline || consume(&global_dsqs[c->node], c))
		return;
	while (ops.dispatch && !stopped) {
		consumed = 0;
		dispatch_cpu = c->id;
		OP_CALL(KF_DISPATCH, dispatch, c->id, prev ? mirror(prev) : 0);
		flush_buffer();
		s->keep = prev_goes_on(prev);
		if (s->keep || s->local.nr || consume(&global_dsqs[c->node], c))
			return;
		if (!--loops) { /* scx_kick_cpu() of itself: others have to be let in */
			kick(c->id, 0);
			break;
		}
		if (!consumed)
			break;
	}
	if (prev && scx_of(prev)->flags & SCX_TASK_QUEUED && !(policy.flags & SCX_OPS_ENQ_LAST))
		s->keep = 1;
}

/*
 * __scx_update_idle(): the built-in mask first, so that ops.update_idle() may look at it (6.15 and later). The policy is
 * told when a task comes or goes, not when idleness goes on.
 */
static void scx_idle(struct cpu *c, int idle)
{
	if (policy.builtin_idle)
		mark_idle(c, idle);
	OP_CALL(KF_REST, update_idle, c->id, idle);
}

static void switch_begins(struct cpu *c)
{
	leaves = c->curr;
	in_switch = 1;
}

/* pick_task_scx(): who runs gets a slice if it has none. */
static struct task *scx_choose(struct cpu *c, struct task *prev)
{
	struct scx_cpu *s = scx_cpu_of(c);
	struct task *p = s->keep ? prev : s->local.first;

	if (p && !theirs.slice(p->id))
		refill(p);
	if (!p && !prev && policy.builtin_idle) /* idle goes on: a CPU that was taken and got nothing idles again */
		mark_idle(c, 1);
	return p;
}

static struct task *scx_pick(struct cpu *c, struct task *prev)
{
	balance(c, prev);
	switch_begins(c);
	return c->realtime_first ? NULL : scx_choose(c, prev);
}

/* switch_class(): a class above takes the CPU from a task of ours. Once, until the CPU looks for work again. */
static void release(struct cpu *c, struct task *next)
{
	struct scx_cpu *s = scx_cpu_of(c);

	if (s->released || !(ops.cpu_release || ops.cpu_acquire)) /* SCX_OPS_HAS_CPU_PREEMPT */
		return;
	OP_CALL(KF_CPU_RELEASE, cpu_release, c->id,
		theirs.release_args(next->id, next->realtime ? SCX_CPU_PREEMPT_RT : SCX_CPU_PREEMPT_UNKNOWN));
	s->released = 1;
}

/*
 * After the switch. What was kicked in between is looked at now: irq_work waits until interrupts are on again, so a CPU
 * that kicks itself kicks the task that it goes to.
 */
static void scx_switched(struct cpu *c)
{
	struct task *next = c->curr;

	if (unlikely(next && !next->ext) && leaves && leaves->ext)
		release(c, next);
	in_switch = 0;
	c->need_resched = 0; /* __schedule() clears it after the choice: what was asked for until then is answered */
	if (next != leaves)
		theirs.current(leaves ? leaves->id : NOBODY, next ? next->id : NOBODY);
	run_kicks();
}

/* put_prev_task_scx(): a task that could go on leaves the CPU; with slice left it stays first in the local queue. */
static void scx_put_prev(struct cpu *c, struct task *prev, struct task *next)
{
	OP_CALL(KF_REST, stopping, mirror(prev), 1);
	if (theirs.slice(prev->id))
		dsq_add(local_dsq(c->id), prev, SCX_ENQ_HEAD);
	else
		give(prev, next ? 0 : SCX_ENQ_LAST);
}

/* set_next_task_scx() */
static void scx_set_next(struct cpu *c, struct task *p)
{
	if (scx_of(p)->flags & SCX_TASK_QUEUED) {
		take_back(p, SCX_DEQ_CORE_SCHED_EXEC);
		dsq_remove(p);
		OP_CALL(KF_REST, running, mirror(p));
	}
	if (!in_switch)
		run_kicks();
}

/* update_curr_scx(); update_se() is for tasks of all classes */
static void scx_charge(struct cpu *c, struct task *p, u64 delta)
{
	if (!stopped) /* a policy that trapped is not asked again */
		theirs.use(p->id, delta, p->ext);
}

/* task_tick_scx() */
static void scx_tick(struct cpu *c, struct task *p)
{
	OP_CALL(KF_REST, tick, mirror(p));
	if (!theirs.slice(p->id))
		resched(c);
	run_kicks();
}

/* yield_task_scx(): what ops.yield() returns is not looked at */
static void scx_yield(struct cpu *c, struct task *p)
{
	if (ops.yield)
		OP_CALL(KF_REST, yield, mirror(p), 0);
	else
		theirs.set_slice(p->id, 0);
}
