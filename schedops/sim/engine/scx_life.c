/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy's life: scx_enable(), tasks that come and go, kicks, the watchdog. */
#include "scx.h"

static u64 kicked[MASK_WORDS], kicked_idle[MASK_WORDS], kicked_preempt[MASK_WORDS];
static u8 any_kick;

/*
 * scx_bpf_kick_cpu(). The kernel bounces it to irq_work. SCX_KICK_WAIT makes the kicking CPU spin until the other one has
 * chosen anew; a busy CPU chooses without delay here, so that the wait is over at once.
 */
static void kick(s32 cpu, u64 flags)
{
	u64 bit = 1ULL << (cpu & 63);

	any_kick = 1;
	if (flags & SCX_KICK_IDLE)
		kicked_idle[cpu >> 6] |= bit;
	else
		kicked[cpu >> 6] |= bit;
	if (flags & SCX_KICK_PREEMPT)
		kicked_preempt[cpu >> 6] |= bit;
}

/* kick_one_cpu(), kick_one_cpu_if_idle() */
static void kick_one(struct cpu *c, int preempt, int if_idle)
{
	if (c->offline)
		return;
	if (if_idle) {
		if (!c->curr)
			resched(c);
		return;
	}
	if (c->curr && !c->curr->ext)
		return;
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

/* ops_sanitize_err(): what a callback returned, as an error of the kernel. */
static s32 sanitized(const char *op, s32 err)
{
	if (err >= 0 || err < -MAX_ERRNO) {
		scx_error("ops.%s() returned an invalid errno %d", op, err);
		return -71; /* EPROTO */
	}
	return err;
}

/* scx_init_task(): who asked for SCHED_EXT may not be forked into another class. */
static void disallowed(struct task *p)
{
	if (!policy.partial)
		stop(V_UNSUPPORTED, 0, "tasks that it leaves to another scheduler: p->scx.disallow");
	else if (p->ext)
		scx_error("ops.init_task() set task->scx.disallow for %s[%d] during fork", p->comm, p->pid);
}

/*
 * scx_fork() and scx_post_fork(): every task of a plan is forked after the policy was loaded. The kernel fails the fork
 * when ops.init_task() does; a plan cannot go on without its task.
 */
static void scx_task_new(struct task *p)
{
	u64 low, high;

	if (p->ext)
		scx_of(p)->ddsp_dsq = SCX_DSQ_INVALID;
	__builtin_memcpy(&low, p->comm, 8);
	__builtin_memcpy(&high, p->comm + 8, 8);
	theirs.task(p->id, p->pid, p->cgroup, 120 + p->nice, scx_weight(p), p->nr_allowed, p->kernel);
	theirs.comm(p->id, low, high);
	show_mask(p);
	refill(p); /* scx_pre_fork(), init_scx_entity(): before the policy sees it */
	if (ops.init_task) {
		s32 err;

		kf_mask = KF_UNLOCKED;
		in_policy = 1;
		err = ops.init_task(mirror(p), theirs.init_args(p->id, 1));
		in_policy = 0;
		if (err)
			stop(V_FAULT, 0, "%s[%d] cannot be forked: ops.init_task() failed (%d)", p->comm, p->pid,
			     sanitized("init_task", err));
		if (theirs.disallow(p->id))
			disallowed(p);
	}
	if (!p->ext)
		return;
	OP_CALL(KF_REST, enable, mirror(p));
	OP_CALL(KF_REST, set_weight, mirror(p), scx_weight(p));
	if (p->hint_ns)
		theirs.hint(p->id, p->hint_ns);
}

/* sched_ext_free(): scx_exit_task() of a task that is gone. */
static void scx_task_dead(struct task *p)
{
	in_switch = 0;
	if (p->ext)
		OP_CALL(KF_REST, disable, mirror(p));
	OP_CALL(KF_REST, exit_task, mirror(p), theirs.exit_args(p->id, 0));
	theirs.forget(p->id);
}

/* reweight_task_scx() */
static void scx_weight_changed(struct task *p)
{
	theirs.weight(p->id, 120 + p->nice, scx_weight(p));
	OP_CALL(KF_REST, set_weight, mirror(p), scx_weight(p));
}

/* set_cpus_allowed_scx(): between dequeue and enqueue */
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

/*
 * scx_watchdog_workfn(), check_rq_for_timeouts(): who has been runnable for longer than timeout_ms without running? It
 * looks every timeout_ms / 2, so a stall is told after 1 to 1.5 times that. Only what ran gets a new start.
 */
static void scx_watchdog(void)
{
	for (u32 i = 0; i < nr_tasks && !stopped; i++) {
		struct task *p = &tasks[i];

		if (p->state == T_QUEUED && p->ext && clock_ns - p->since > policy.timeout_ms * 1000000ULL)
			stall(p, clock_ns - p->since);
	}
}

/* scx_cgroup_init(): parents before their children. */
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
			err = sanitized("cgroup_init", err);
			scx_error("ops.cgroup_init() failed (%d)", err);
			return err;
		}
	}
	return 0;
}

/*
 * validate_ops(), bpf_scx_init_member() (which makes the load fail before there is anything to eject), and what the
 * simulator does not do.
 */
static int validate(void)
{
	if (policy.flags & ~SCX_OPS_ALL)
		scx_error("invalid ops flags 0x%llx", policy.flags & ~SCX_OPS_ALL);
	else if (policy.flags & SCX_OPS_ENQ_LAST && !ops.enqueue)
		scx_error("SCX_OPS_ENQ_LAST requires ops.enqueue() to be implemented");
	else if (policy.timeout_ms > SCX_WATCHDOG_MAX_TIMEOUT)
		scx_error("timeout_ms %u is above %u", policy.timeout_ms, SCX_WATCHDOG_MAX_TIMEOUT);
	else if (policy.per_node && !policy.builtin_idle)
		scx_error("SCX_OPS_BUILTIN_IDLE_PER_NODE requires CPU idle selection enabled");
	else if (policy.batch > MAX_BATCH)
		stop(V_UNSUPPORTED, 0, "a dispatch_max_batch of %u, at most %u", policy.batch, MAX_BATCH);
	return stopped || ejected;
}

/* scx_switching_all, task_should_scx() */
static void share_tasks(void)
{
	policy.partial = !!(policy.flags & SCX_OPS_SWITCH_PARTIAL);
	if (policy.partial) {
		sched = &partial_class;
		eevdf_class.init();
	}
	if (policy.partial)
		remark = "no task asks for SCHED_EXT, and the policy has no others";
	for (u32 i = 0; i < nr_tasks; i++) {
		tasks[i].ext = !tasks[i].realtime && (!policy.partial || tasks[i].ext);
		if (tasks[i].ext)
			remark = "";
	}
}

/* scx_enable() */
static int scx_init(void)
{
	s32 err;

	policy.builtin_idle = !ops.update_idle || policy.flags & SCX_OPS_KEEP_BUILTIN_IDLE;
	policy.per_node = !!(policy.flags & SCX_OPS_IDLE_PER_NODE);
	policy.loaded = 1; /* ops.exit() hears of what is wrong with it, too */
	if (validate())
		return -1;
	share_tasks();
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		scx_cpu_of(&cpus[i])->local.id = SCX_DSQ_LOCAL;
		theirs.idle_task(i);
	}
	global_dsqs = alloc(machine.nr_nodes * sizeof(*global_dsqs));
	for (u32 i = 0; i < machine.nr_nodes; i++)
		global_dsqs[i].id = SCX_DSQ_GLOBAL;
	idle_init();
	kf_mask = KF_UNLOCKED;
	in_policy = 1;
	err = ops.init ? ops.init() : 0;
	in_policy = 0;
	if (err) {
		err = sanitized("init", err);
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
