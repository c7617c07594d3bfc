/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * neighbour-guard: a cgroup that takes more than its share while others want it is held back.
 *
 * Without limits on cgroups whoever starts the most tasks gets the most CPU time, and a quiet service beside it answers
 * late. Limits in advance waste what nobody else wants. Here nobody is limited until it shows: at the end of each window
 * it is counted what each cgroup used, and whoever used more than tolerance_percent of an equal share among those that
 * ran is noisy in the next window. Tasks of noisy cgroups wait in a queue of their own, which is served after that of the
 * others; so they get what the others leave, which may still be nearly all of it. When it no longer is more than the
 * share, they are as good as anybody again.
 *
 * Every floor_turns turns the noisy go first: that is the ageing. Both queues are by weighted virtual time.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define QUIET_DSQ 1ULL
#define NOISY_DSQ 2ULL

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 group_level = 1;
const volatile u64 slice_us = 3000;
const volatile u64 window_ms = 50;
const volatile u64 tolerance_percent = 120;
const volatile u64 floor_turns = 8;

struct exit_record exit_record;

struct ng_task {
	struct fair_task fair;
	bool noisy; /* its cgroup is, as far as it was seen when the task was queued last */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ng_task);
} tasks SEC(".maps");

struct ng_group {
	u64 window;  /* in which the rest was counted */
	u64 used_ns; /* CPU time in it */
	bool noisy;  /* in it, by what it used in the one before */
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ng_group);
} groups SEC(".maps");

/* The window now, and what was counted in the one before. Races cost a little accuracy. */
static u64 window;
static u64 window_ends_ns;
static u64 used_ns, users;
static u64 last_used_ns, last_users;

static u64 turns;

static __always_inline struct ng_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline void turn_window(u64 now)
{
	u64 ends = window_ends_ns;

	if (before(now, ends) || __sync_val_compare_and_swap(&window_ends_ns, ends, now + window_ms * NSEC_PER_MSEC) != ends)
		return;
	last_used_ns = used_ns;
	last_users = users;
	used_ns = 0;
	users = 0;
	window++;
}

/* Above its tolerated part of an equal share of what everybody used? */
static __always_inline bool too_much(u64 group_ns)
{
	return last_users > 1 && group_ns * last_users * 100 > last_used_ns * tolerance_percent;
}

/* Count what the task's cgroup used, and say whether it is noisy now. */
static bool note_use(struct task_struct *p, u64 ran_ns)
{
	struct cgroup *cgrp = p->cgroups->dfl_cgrp;
	struct cgroup *tenant;
	struct ng_group *g;
	bool noisy = false;

	tenant = bpf_cgroup_ancestor(cgrp, cgrp->level < group_level ? cgrp->level : group_level);
	if (!tenant)
		return false;
	turn_window(bpf_ktime_get_ns());
	g = bpf_cgrp_storage_get(&groups, tenant, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (g) {
		if (g->window != window) {
			g->noisy = g->window + 1 == window && too_much(g->used_ns);
			g->window = window;
			g->used_ns = 0;
			__sync_fetch_and_add(&users, 1);
		}
		__sync_fetch_and_add(&g->used_ns, ran_ns);
		__sync_fetch_and_add(&used_ns, ran_ns);
		noisy = g->noisy;
	}
	bpf_cgroup_release(tenant);
	return noisy;
}

static __always_inline void charge(struct task_struct *p, struct ng_task *t)
{
	t->noisy = note_use(p, fair_charge(p, &t->fair));
}

s32 OP(ng_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(ng_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct ng_task *t = task_of(p);
	u64 key = t ? fair_key(&t->fair, CREDIT_NS) : fair_now;

	if (t)
		t->noisy = note_use(p, 0);
	scx_bpf_dsq_insert_vtime(p, t && t->noisy ? NOISY_DSQ : QUIET_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	wake_idle_cpu(p);
}

/* May the task that used up its slice go on, or is somebody else due? */
static __always_inline bool goes_on(struct ng_task *t, s32 cpu, bool noisy_first)
{
	if (t->noisy)
		return (noisy_first || !scx_bpf_dsq_nr_queued(QUIET_DSQ)) && leads(NOISY_DSQ, t->fair.vtime, cpu);
	return (!noisy_first || !scx_bpf_dsq_nr_queued(NOISY_DSQ)) && leads(QUIET_DSQ, t->fair.vtime, cpu);
}

void OP(ng_dispatch, s32 cpu, struct task_struct *prev)
{
	bool noisy_first = __sync_fetch_and_add(&turns, 1) % floor_turns == 0;
	struct ng_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(prev, t);
		if (goes_on(t, cpu, noisy_first)) {
			fair_running(&t->fair, CREDIT_NS);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	if (noisy_first && scx_bpf_dsq_move_to_local(NOISY_DSQ))
		return;
	if (!scx_bpf_dsq_move_to_local(QUIET_DSQ))
		scx_bpf_dsq_move_to_local(NOISY_DSQ);
}

void OP(ng_running, struct task_struct *p)
{
	struct ng_task *t = task_of(p);

	if (t)
		fair_running(&t->fair, CREDIT_NS);
}

void OP(ng_stopping, struct task_struct *p, bool runnable)
{
	struct ng_task *t = task_of(p);

	if (t)
		charge(p, t);
}

s32 OP_SLEEPABLE(ng_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(ng_enable, struct task_struct *p)
{
	struct ng_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(ng_init)
{
	s32 err;

	if (OUT_OF_RANGE(group_level, 1, 16) || OUT_OF_RANGE(slice_us, 500, 20000) || OUT_OF_RANGE(window_ms, 10, 500) ||
	    OUT_OF_RANGE(tolerance_percent, 100, 1000) || OUT_OF_RANGE(floor_turns, 2, 64))
		return -EINVAL;
	err = scx_bpf_create_dsq(QUIET_DSQ, -1);
	return err ? err : scx_bpf_create_dsq(NOISY_DSQ, -1);
}

void OP(ng_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops neighbour_guard_ops = {
	.select_cpu	= (void *)ng_select_cpu,
	.enqueue	= (void *)ng_enqueue,
	.dispatch	= (void *)ng_dispatch,
	.running	= (void *)ng_running,
	.stopping	= (void *)ng_stopping,
	.init_task	= (void *)ng_init_task,
	.enable		= (void *)ng_enable,
	.init		= (void *)ng_init,
	.exit		= (void *)ng_exit,
	.timeout_ms	= 5000,
	.name		= "neighbour_guard",
};
