/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks that become runnable or stop being so: enqueue_task_scx(), do_enqueue_task(), dequeue_task_scx(). */
#include "scx.h"

/* A task counts on a run queue, wherever it waits: the fair class looks at nr_running. */
static void counts_on(s32 cpu, s32 by)
{
	if (unlikely(policy.partial))
		count_other(&fair_rqs[cpu], by);
}

static void take_to(struct task *p, struct cpu *c)
{
	counts_on(p->cpu, -1);
	migrate(p, c);
	counts_on(c->id, 1);
}

static void refill(struct task *p)
{
	theirs.set_slice(p->id, SCX_SLICE_DFL);
}

static struct dsq *local_dsq(s32 cpu)
{
	return &scx_cpu_of(&cpus[cpu])->local;
}

static int cpu_valid(s32 cpu, const char *where)
{
	if (cpu >= 0 && (u32)cpu < machine.nr_cpus)
		return 1;
	scx_error("invalid CPU %d %s", cpu, where);
	return 0;
}

/* ops_cpu_valid() of 6.18 for a kfunc: it says no more than this. */
static int kf_cpu_valid(s32 cpu)
{
	if (cpu >= 0 && (u32)cpu < machine.nr_cpus)
		return 1;
	scx_error("invalid CPU %d", cpu);
	return 0;
}

/* find_dsq_for_dispatch() of 6.18; from 7.0 on "non-existent DSQ" names no task */
static struct dsq *dsq_for(struct task *p, s32 cpu, u64 id)
{
	struct dsq *d;

	if (id == SCX_DSQ_LOCAL)
		return local_dsq(cpu);
	if (id == SCX_DSQ_GLOBAL)
		return global_dsq_of(p);
	if ((id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON)
		return cpu_valid((s32)id, "in SCX_DSQ_LOCAL_ON dispatch verdict") ? local_dsq((s32)id) : global_dsq_of(p);
	d = find_user_dsq(id);
	if (d)
		return d;
	scx_error("non-existent DSQ 0x%llx for %s[%d]", id, p->comm, p->pid);
	return global_dsq_of(p);
}

/* local_dsq_post_enq() of 6.18: the local queue of a CPU has got a task. Does that CPU have to look? */
static void local_added(struct cpu *c, struct task *p, u64 enq_flags)
{
	if (!c->curr) {
		resched(c);
	} else if (enq_flags & SCX_ENQ_PREEMPT && p != c->curr && c->curr->ext) {
		settle(c);
		theirs.set_slice(c->curr->id, 0);
		resched(c);
	}
}

/*
 * Into the queue with this id, as seen from `cpu`; moves the task to the CPU of a local queue: direct_dispatch(),
 * process_ddsp_deferred_locals(), finish_dispatch() and dispatch_to_local_dsq(). What the kernel puts off until it may
 * lock the other run queue happens at the same time here.
 */
static void insert(struct task *p, s32 cpu, u64 dsq_id, u64 enq_flags)
{
	struct dsq *d = dsq_for(p, cpu, dsq_id);
	s32 target;

	if (d->id != SCX_DSQ_LOCAL) {
		dsq_add(d, p, enq_flags);
		return;
	}
	target = (dsq_id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON ? (s32)dsq_id : cpu;
	/* task_can_run_on_remote_rq(enforce): offline is no error; the CPU that it was on pushes it away itself */
	if ((target != p->cpu || cpus[target].offline) && !allowed(p, target)) {
		if (!mask_test(p->allowed, target))
			scx_error("SCX_DSQ_LOCAL[_ON] target CPU %d not allowed for %s[%d]", target, p->comm, p->pid);
		dsq_add(global_dsq_of(p), p, enq_flags & ~SCX_ENQ_PRIQ);
		return;
	}
	if (target != p->cpu)
		take_to(p, &cpus[target]);
	dsq_add(d, p, enq_flags);
	local_added(&cpus[target], p, enq_flags);
}

/*
 * do_enqueue_task(). SCX_OPS_ENQ_EXITING and SCX_OPS_ENQ_MIGRATION_DISABLED have nothing to say here: a task is gone as
 * soon as it exits, and nobody disables its migration.
 */
static void give(struct task *p, u64 enq_flags)
{
	struct scx_task *s = scx_of(p);
	static u64 qseq;

	if (s->ddsp_dsq == SCX_DSQ_INVALID) {
		if (!ops.enqueue) {
			refill(p);
			insert(p, p->cpu, SCX_DSQ_GLOBAL, enq_flags);
			return;
		}
		s->qseq = ++qseq;
		direct_task = p;
		direct_done = 0;
		OP_CALL(KF_ENQUEUE, enqueue, mirror(p), enq_flags);
		direct_task = NULL;
		direct_done = 0;
		if (s->ddsp_dsq == SCX_DSQ_INVALID) {
			s->ops_state = OPS_QUEUED;
			s->in_custody = policy.custody;
			return;
		}
	}
	insert(p, p->cpu, s->ddsp_dsq, enq_flags | s->ddsp_flags);
}

static void set_flags(struct task *p, u32 flags)
{
	scx_of(p)->flags = flags;
	theirs.flags(p->id, flags);
}

/* enqueue_task_scx() */
static void scx_enqueue(struct cpu *c, struct task *p, u32 flags)
{
	struct scx_task *s = scx_of(p);
	u64 enq_flags = flags & (ENQUEUE_WAKEUP | ENQUEUE_RESTORE);

	in_switch = 0;
	/* ttwu_do_activate() passes on what select_task_rq() noted; wake_up_new_task() does not (core.c, 6.18). */
	if (p->nr_allowed > 1 && flags & ENQUEUE_WAKEUP)
		enq_flags |= SCX_ENQ_CPU_SELECTED;
	if (s->flags & SCX_TASK_QUEUED)
		return;
	set_flags(p, (s->flags | SCX_TASK_QUEUED) & ~SCX_TASK_DEQD_FOR_SLEEP);
	counts_on(c->id, 1);
	if (!(flags & ENQUEUE_MIGRATING))
		OP_CALL(KF_REST, runnable, mirror(p), enq_flags);
	/* A running task that was changed goes on: past the policy, and with what is left of its slice (sticky_cpu). */
	if (flags & ENQUEUE_RESTORE && c->curr == p)
		dsq_add(local_dsq(c->id), p, enq_flags);
	else
		give(p, enq_flags);
	run_kicks();
}

/*
 * ops_dequeue(): to 7.0 the policy loses what it has not inserted yet; from 7.1 on what is in its custody, which a task
 * in a user queue is too.
 */
static void take_back(struct task *p, u64 deq_flags)
{
	struct scx_task *s = scx_of(p);

	s->ddsp_dsq = SCX_DSQ_INVALID;
	s->ddsp_flags = 0;
	if (policy.custody)
		leave_custody(p, deq_flags);
	else if (s->ops_state == OPS_QUEUED)
		OP_CALL(KF_REST, dequeue, mirror(p), deq_flags);
	s->ops_state = OPS_NONE;
}

/*
 * dequeue_task_scx(): ops.dequeue(), stopping, quiescent, then out of its queue. A task that has to leave its CPU was
 * preempted by the stopper thread, so it stops while it could go on, and is moved without quiescent and runnable
 * (kernel/sched/core.c: migration_cpu_stop()).
 */
static void scx_dequeue(struct cpu *c, struct task *p, u32 flags)
{
	struct scx_task *s = scx_of(p);
	u64 deq_flags = flags & (DEQUEUE_SLEEP | DEQUEUE_SAVE);

	if (policy.custody && !(flags & DEQUEUE_SLEEP))
		deq_flags |= SCX_DEQ_SCHED_CHANGE;
	if (flags & DEQUEUE_DEAD)
		theirs.exiting(p->id);
	if (!(s->flags & SCX_TASK_QUEUED))
		return;
	counts_on(c->id, -1);
	take_back(p, deq_flags);
	if (c->curr == p)
		OP_CALL(KF_REST, stopping, mirror(p), flags & DEQUEUE_MIGRATING ? 1 : 0);
	if (!(flags & DEQUEUE_MIGRATING))
		OP_CALL(KF_REST, quiescent, mirror(p), deq_flags);
	set_flags(p, (s->flags & ~SCX_TASK_QUEUED) | (flags & DEQUEUE_SLEEP ? SCX_TASK_DEQD_FOR_SLEEP : 0));
	dsq_remove(p);
}

/* select_task_rq_scx(); core.c leaves tasks of one CPU out, as select_task_rq() does */
static int scx_select_cpu(struct task *p, int prev_cpu, u32 wake_flags)
{
	s32 cpu;

	if (!ops.select_cpu) {
		cpu = policy.builtin_idle ? select_idle(p->allowed, prev_cpu, wake_flags, 0) : -1;
		if (cpu < 0)
			return prev_cpu;
		refill(p);
		scx_of(p)->ddsp_dsq = SCX_DSQ_LOCAL;
		return cpu;
	}
	direct_task = p;
	direct_done = 0;
	kf_mask = KF_ENQUEUE | KF_SELECT_CPU;
	in_policy = 1;
	cpu = ops.select_cpu(mirror(p), prev_cpu, wake_flags);
	in_policy = 0;
	kf_mask = 0;
	direct_task = NULL;
	direct_done = 0; /* kicks wait until the task is queued: the waker holds its lock until then */
	return cpu_valid(cpu, "from ops.select_cpu()") ? cpu : prev_cpu;
}
