/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy's life: scx_enable(), tasks that come and go, kicks, the watchdog. */
#include "scx.h"

static u64 kicked[MASK_WORDS], kicked_idle[MASK_WORDS], kicked_preempt[MASK_WORDS];
static u8 any_kick;

static void kick_one(struct cpu *c, int preempt, int if_idle)
{
	if (if_idle) {
		if (!c->curr)
			resched(c);
		return;
	}
	if (preempt && c->curr) {
		settle(c);
		theirs.set_slice(c->curr->id, 0);
	}
	resched(c);
}

/* kick_cpus_irq_workfn(): after the callback, as soon as interrupts are on again. */
static void run_kicks(void)
{
	if (likely(!any_kick))
		return;
	any_kick = 0;
	for (u32 w = 0; w < MASK_WORDS; w++) {
		for (u64 left = kicked[w] | kicked_idle[w]; left; left &= left - 1) {
			u64 bit = left & -left;
			struct cpu *c = &cpus[w * 64 + __builtin_ctzll(left)];

			kick_one(c, !!(kicked_preempt[w] & bit), !(kicked[w] & bit));
		}
		kicked[w] = kicked_idle[w] = kicked_preempt[w] = 0;
	}
}

/* sched_weight_to_cgroup(): 100 for nice 0 */
static u32 scx_weight(const struct task *p)
{
	u64 weight = (p->weight * 100ULL + 512) / 1024;

	return weight < 1 ? 1 : weight > 10000 ? 10000 : weight;
}

static void show_mask(struct task *p)
{
	for (u32 w = 0; w < MASK_WORDS; w++)
		theirs.mask(p->id, w, p->allowed->w[w]);
	theirs.allowed(p->id, p->nr_allowed);
}

/* scx_init_task() and scx_enable_task() */
static void scx_task_new(struct task *p)
{
	u64 low, high;

	scx_of(p)->ddsp_dsq = SCX_DSQ_INVALID;
	__builtin_memcpy(&low, p->comm, 8);
	__builtin_memcpy(&high, p->comm + 8, 8);
	theirs.task(p->id, p->pid, p->cgroup, 120 + p->nice, scx_weight(p), p->nr_allowed);
	theirs.comm(p->id, low, high);
	show_mask(p);
	if (ops.init_task) {
		s32 err;

		kf_mask = KF_UNLOCKED;
		in_policy = 1;
		err = ops.init_task(mirror(p), theirs.init_args(p->id, 1));
		in_policy = 0;
		if (err)
			scx_error("ops.init_task() failed (%d) for %s[%d]", err, p->comm, p->pid);
	}
	refill(p);
	OP_CALL(KF_REST, enable, mirror(p));
	OP_CALL(KF_REST, set_weight, mirror(p), scx_weight(p));
	if (p->hint_ns)
		theirs.hint(p->id, p->hint_ns);
}

static void scx_task_dead(struct task *p)
{
	OP_CALL(KF_REST, disable, mirror(p));
	OP_CALL(KF_REST, exit_task, mirror(p), theirs.exit_args(p->id, 0));
	theirs.forget(p->id);
}

static void scx_weight_changed(struct task *p)
{
	theirs.weight(p->id, 120 + p->nice, scx_weight(p));
	OP_CALL(KF_REST, set_weight, mirror(p), scx_weight(p));
}

static void scx_cpus_changed(struct task *p)
{
	show_mask(p);
	OP_CALL(KF_REST, set_cpumask, mirror(p), theirs.mask_at(p->id));
}

static void stall(struct task *p, u64 waited_ns)
{
	u32 ms = waited_ns / 1000000;

	stop(V_EJECTED, SCX_EXIT_ERROR_STALL, "%s[%d] failed to run for %u.%03us", p->comm, p->pid, ms / 1000, ms % 1000);
}

/* scx_watchdog_workfn(): who has been runnable for longer than timeout_ms without running? */
static void scx_watchdog(void)
{
	for (u32 i = 0; i < nr_tasks && !stopped; i++) {
		struct task *p = &tasks[i];

		if (p->state == T_QUEUED && clock_ns - p->since > policy.timeout_ms * 1000000ULL)
			stall(p, clock_ns - p->since);
	}
}

static int make_cgroups(void)
{
	policy.cgroups = alloc(nr_cgroups * sizeof(u64));
	for (u32 i = 0; i < nr_cgroups; i++) {
		struct cgroup *g = &cgroups[i];

		policy.cgroups[i] = theirs.cgroup(i, g->parent, g->level, g->weight);
	}
	for (u32 i = 0; ops.cgroup_init && i < nr_cgroups; i++) {
		s32 err;

		in_policy = 1;
		err = ops.cgroup_init(policy.cgroups[i], theirs.cgroup_args(cgroups[i].weight));
		in_policy = 0;
		if (err) {
			scx_error("ops.cgroup_init() failed (%d)", err);
			return err;
		}
	}
	return 0;
}

/* validate_ops(), and what the simulator does not do. */
static int validate(void)
{
	if (policy.flags & ~SCX_OPS_ALL)
		scx_error("invalid ops flags 0x%llx", policy.flags & ~SCX_OPS_ALL);
	else if (policy.flags & SCX_OPS_ENQ_LAST && !ops.enqueue)
		scx_error("SCX_OPS_ENQ_LAST requires ops.enqueue() to be implemented");
	else if (policy.timeout_ms > SCX_WATCHDOG_MAX_TIMEOUT)
		scx_error("timeout_ms %u is above %u", policy.timeout_ms, SCX_WATCHDOG_MAX_TIMEOUT);
	else if (policy.flags & SCX_OPS_SWITCH_PARTIAL)
		stop(V_UNSUPPORTED, 0, "tasks that it leaves to another scheduler: SCX_OPS_SWITCH_PARTIAL");
	else if (policy.flags & SCX_OPS_IDLE_PER_NODE)
		stop(V_UNSUPPORTED, 0, "idle masks per node: SCX_OPS_BUILTIN_IDLE_PER_NODE");
	else if (policy.batch > MAX_BATCH)
		stop(V_UNSUPPORTED, 0, "a dispatch_max_batch of %u, at most %u", policy.batch, MAX_BATCH);
	return stopped;
}

static int scx_init(void)
{
	s32 err;

	if (validate())
		return -1;

	policy.builtin_idle = !ops.update_idle || policy.flags & SCX_OPS_KEEP_BUILTIN_IDLE;
	for (u32 i = 0; i < machine.nr_cpus; i++)
		scx_cpu_of(&cpus[i])->local.id = SCX_DSQ_LOCAL;
	idle_init();
	kf_mask = KF_UNLOCKED;
	in_init = 1;
	in_policy = 1;
	err = ops.init ? ops.init() : 0;
	in_policy = 0;
	in_init = 0;
	if (err) {
		scx_error("ops.init() failed (%d)", err);
		return err;
	}
	if (!policy.batch)
		policy.batch = SCX_DSP_DFL_MAX_BATCH;
	if (!policy.timeout_ms)
		policy.timeout_ms = SCX_WATCHDOG_MAX_TIMEOUT;
	sched_watchdog_ns = policy.timeout_ms * 1000000ULL / 2;
	return make_cgroups();
}
