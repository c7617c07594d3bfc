/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build-order: builds, known by their cgroup, one after the other, each run to completion: the one with the least work
 * left first, in order of arrival where nobody knows.
 *
 * A fair scheduler slows down all builds of a runner host together, so that all of them end late. Serving one of them
 * first ends that one early, then the second, and none much later than before: the mean build time falls.
 *
 * Two queues. Tasks outside of any build (the root cgroup, shells, the runner itself, kernel threads) are served
 * first, fairly by weight; they are expected to be light, and builds keep a minimum when they are not. Tasks of builds
 * wait in one queue ordered by
 *
 *	key = time of enqueueing + wait by rank + wait by length
 *
 * where the rank is the number of active builds that go before. The first build has rank 0 and waits for nobody. A build
 * goes before others when it has less work left, by what history expects of a build as a whole less what it has used:
 * the largest hint of any of its tasks, since its first process may say what all of them will use. Builds that nobody
 * knows come before those, in order of arrival; with remaining_first = 0 all builds are in order of arrival.
 *
 * The wait by rank is bounded, so a task of the last build gets a slice every max_wait_ms even while others could use
 * every CPU: that is the ageing. It has strictly increasing steps (1/2, 2/3, 3/4 ... of max_wait_ms), so any
 * number of builds stays in order. The wait by length, much smaller, puts the longest job of a build first, by what
 * history expects (hints) or by what it has used already: this also finishes what was begun.
 *
 * Nothing about a task is looked at but its cgroup, its weight, its hint and the CPU time it used.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SYSTEM_DSQ 1ULL
#define BUILD_DSQ  2ULL

/* Builds that are told apart while active at the same time; beyond that two may share a slot, and then a rank. */
#define SLOTS 64
/* A build whose tasks all sleep for longer than this (waiting for the network, say) holds up nobody's rank. */
#define ASLEEP_NS (100 * NSEC_PER_MSEC)
/* Ranks change when builds come and go, which is slow. */
#define RANK_FRESH_NS (5 * NSEC_PER_MSEC)
/* The most that length can move a job back inside its build. */
#define LENGTH_WAIT_NS (100 * NSEC_PER_MSEC)
/* A job of this length moves back by half of it. */
#define LENGTH_HALF_NS (200 * NSEC_PER_MSEC)
/* What a system task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 build_level = 1;
const volatile u64 slice_us = 1000;
const volatile u64 first_turn_us = 1000;
const volatile u64 max_wait_ms = 1200;
const volatile u64 build_share_ms = 50;
const volatile u64 remaining_first = 1;

struct exit_record exit_record;

HINTS_MAP;

struct bo_task {
	struct fair_task fair;
	u64 used_ns;	 /* CPU time since the policy knows the task */
	u64 turn_ns;	 /* CPU time since it last woke up */
	u64 build;	 /* arrival number of its build, 0: none */
	u64 counted;	 /* arrival number under which it is counted as runnable, 0: not counted */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bo_task);
} tasks SEC(".maps");

/* The order of arrival is the policy's own: a cgroup gets its number when one of its tasks is first seen runnable. */
struct bo_build {
	u64 arrival;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bo_build);
} builds SEC(".maps");

static u64 arrivals;

/* Somebody hands over hints. */
static bool hinted;

/* Active builds, at arrival number modulo SLOTS. */
struct bo_slot {
	u64 arrival;
	u64 runnable; /* tasks */
	u64 seen_ns;
	u64 rank;
	u64 ranked_ns;
	u64 expected_ns; /* CPU time of the whole build: the largest hint that any of its tasks had; 0: nobody knows */
	u64 used_ns;
};

static struct bo_slot slots[SLOTS];

/* When a CPU last took a task of a build although, or because, no system task waited. */
static u64 builds_served_ns;

static __always_inline struct bo_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline struct bo_slot *slot_of(u64 arrival)
{
	return &slots[arrival % SLOTS];
}

/*
 * The build of a task: its ancestor cgroup at build_level. The cgroup comes from the unified hierarchy and not from
 * scx_bpf_task_cgroup(), which sees only cgroups that have the cpu controller enabled: a container or a systemd scope
 * need not have it.
 */
static u64 build_of(struct task_struct *p)
{
	struct cgroup *cgrp = p->cgroups->dfl_cgrp;
	struct cgroup *top;
	struct bo_build *b;
	u64 number = 0;

	if (cgrp->level < build_level)
		return 0;
	top = bpf_cgroup_ancestor(cgrp, build_level);
	if (!top)
		return 0;
	b = bpf_cgrp_storage_get(&builds, top, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (b) {
		/* Two CPUs may see the first tasks at once: one number is lost, none is given twice. */
		if (!b->arrival)
			__sync_val_compare_and_swap(&b->arrival, 0, __sync_fetch_and_add(&arrivals, 1) + 1);
		number = b->arrival;
	}
	bpf_cgroup_release(top);
	return number;
}

static __always_inline bool active(struct bo_slot *s, u64 now)
{
	return s->runnable || before(now, s->seen_ns + ASLEEP_NS);
}

static __always_inline void count_in(struct bo_task *t, u64 now)
{
	struct bo_slot *s = slot_of(t->build);

	if (!active(s, now)) {
		if (s->arrival != t->build)
			s->expected_ns = s->used_ns = 0;
		s->arrival = t->build;
		s->ranked_ns = 0;
	}
	s->seen_ns = now;
	__sync_fetch_and_add(&s->runnable, 1);
	t->counted = t->build;
}

static __always_inline void count_out(struct bo_task *t, u64 now)
{
	struct bo_slot *s = slot_of(t->counted);

	__sync_fetch_and_sub(&s->runnable, 1);
	s->seen_ns = now;
	t->counted = 0;
}

/* The hint of a build's first process covers the whole build, so it is the largest. */
static __always_inline void learn(struct bo_slot *s, u64 expected_ns)
{
	if (s->expected_ns < expected_ns)
		s->expected_ns = expected_ns;
}

/* A task is runnable in the build it belongs to now: it may have been moved to another cgroup meanwhile. */
static __always_inline void settle(struct task_struct *p, struct bo_task *t, u64 now)
{
	t->build = build_of(p);
	if (t->counted != t->build) {
		if (t->counted)
			count_out(t, now);
		if (t->build)
			count_in(t, now);
	}
	if (remaining_first && t->build)
		learn(slot_of(t->build), hint_ns(p));
}

static __always_inline u64 remaining_ns(struct bo_slot *s)
{
	return s->expected_ns > s->used_ns ? s->expected_ns - s->used_ns : 0;
}

/* Is s served before own? Never both ways round, or two builds would wait for each other. */
static __always_inline bool goes_before(struct bo_slot *s, struct bo_slot *own)
{
	u64 left = remaining_ns(s), own_left = remaining_ns(own);

	if (remaining_first && left != own_left)
		return left < own_left;
	return s->arrival < own->arrival;
}

static u64 rank_of(u64 arrival, u64 now)
{
	struct bo_slot *own = slot_of(arrival);
	u64 rank = 0;
	u32 i;

	if (before(now, own->ranked_ns + RANK_FRESH_NS))
		return own->rank;
	bpf_for(i, 0, SLOTS) {
		struct bo_slot *s = &slots[i & (SLOTS - 1)];

		if (s != own && s->arrival && goes_before(s, own) && active(s, now))
			rank++;
	}
	own->rank = rank;
	own->ranked_ns = now;
	return rank;
}

/* How much later than at once a task of a build is due. */
static u64 wait_ns(struct task_struct *p, struct bo_task *t, u64 now)
{
	u64 rank = rank_of(t->build, now);
	u64 by_rank = max_wait_ms * NSEC_PER_MSEC * rank / (rank + 1);
	u64 expected_ns = hint_ns(p);

	if (expected_ns && !hinted)
		hinted = true;
	if (expected_ns < t->used_ns)
		expected_ns = t->used_ns;
	/* A new task, whatever its build: a launcher may be about to hand over its hint, if there is one that does. */
	if (hinted && t->used_ns < first_turn_us * NSEC_PER_USEC)
		return 0;
	/* Just woken: it will start the next job, or hand on a result. */
	if (t->turn_ns < first_turn_us * NSEC_PER_USEC)
		return by_rank;
	return by_rank + LENGTH_WAIT_NS * LENGTH_HALF_NS / (LENGTH_HALF_NS + expected_ns);
}

static __always_inline u64 slice_ns(struct bo_task *t)
{
	/* Only in a build is a turn cut short; it goes on at once when nobody else is due. */
	bool turn = t->build && t->turn_ns < first_turn_us * NSEC_PER_USEC;

	return (turn ? first_turn_us : slice_us) * NSEC_PER_USEC;
}

static __always_inline u64 charge(struct task_struct *p, struct bo_task *t)
{
	u64 ran_ns = fair_charge(p, &t->fair);

	t->used_ns += ran_ns;
	t->turn_ns += ran_ns;
	if (remaining_first && t->build)
		__sync_fetch_and_add(&slot_of(t->build)->used_ns, ran_ns);
	return ran_ns;
}

s32 OP(bo_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(bo_runnable, struct task_struct *p, u64 enq_flags)
{
	struct bo_task *t = task_of(p);

	if (!t)
		return;
	t->turn_ns = 0;
	settle(p, t, bpf_ktime_get_ns());
}

void OP(bo_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct bo_task *t = task_of(p);

	if (t && t->counted)
		count_out(t, bpf_ktime_get_ns());
}

void OP(bo_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct bo_task *t = task_of(p);
	u64 now = bpf_ktime_get_ns();

	if (t)
		settle(p, t, now);
	if (t && t->build)
		scx_bpf_dsq_insert_vtime(p, BUILD_DSQ, slice_ns(t), now + wait_ns(p, t, now), enq_flags);
	else
		scx_bpf_dsq_insert_vtime(p, SYSTEM_DSQ, slice_us * NSEC_PER_USEC,
					 t ? fair_key(&t->fair, CREDIT_NS) : fair_now, enq_flags);
	wake_idle_cpu(p);
}

/* The builds' minimum against system tasks that never sleep: one turn every build_share_ms. */
static __always_inline bool builds_overdue(u64 now)
{
	return before(builds_served_ns + build_share_ms * NSEC_PER_MSEC, now) && scx_bpf_dsq_nr_queued(BUILD_DSQ) > 0;
}

/* May the task that used up its slice go on, or is somebody else due? */
static __always_inline bool goes_on(struct task_struct *prev, struct bo_task *t, s32 cpu, bool overdue, u64 now)
{
	if (t->build)
		return (overdue || !scx_bpf_dsq_nr_queued(SYSTEM_DSQ)) &&
		       leads(BUILD_DSQ, now + wait_ns(prev, t, now), cpu);
	return !overdue && leads(SYSTEM_DSQ, t->fair.vtime, cpu);
}

static __always_inline bool serve_builds(u64 now)
{
	if (!scx_bpf_dsq_move_to_local(BUILD_DSQ))
		return false;
	builds_served_ns = now;
	return true;
}

void OP(bo_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 now = bpf_ktime_get_ns();
	bool overdue = builds_overdue(now);
	struct bo_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(prev, t);
		settle(prev, t, now);
		if (goes_on(prev, t, cpu, overdue, now)) {
			if (t->build)
				builds_served_ns = now;
			set_slice(prev, slice_ns(t));
			return;
		}
	}
	if (overdue && serve_builds(now))
		return;
	if (!scx_bpf_dsq_move_to_local(SYSTEM_DSQ))
		serve_builds(now);
}

void OP(bo_running, struct task_struct *p)
{
	struct bo_task *t = task_of(p);

	if (!t)
		return;
	/* The system queue's virtual time is of system tasks only. */
	if (t->build)
		t->fair.started_ns = bpf_ktime_get_ns();
	else
		fair_running(&t->fair, CREDIT_NS);
}

void OP(bo_stopping, struct task_struct *p, bool runnable)
{
	struct bo_task *t = task_of(p);

	if (t)
		charge(p, t);
}

s32 OP_SLEEPABLE(bo_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(bo_enable, struct task_struct *p)
{
	struct bo_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(bo_init)
{
	s32 err;

	if (OUT_OF_RANGE(build_level, 1, 16) || OUT_OF_RANGE(slice_us, 500, 20000) || first_turn_us > 20000 ||
	    OUT_OF_RANGE(max_wait_ms, 50, 1500) || OUT_OF_RANGE(build_share_ms, 5, 500) ||
	    remaining_first > 1)
		return -EINVAL;
	err = scx_bpf_create_dsq(SYSTEM_DSQ, -1);
	return err ? err : scx_bpf_create_dsq(BUILD_DSQ, -1);
}

void OP(bo_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops build_order_ops = {
	.select_cpu	= (void *)bo_select_cpu,
	.runnable	= (void *)bo_runnable,
	.quiescent	= (void *)bo_quiescent,
	.enqueue	= (void *)bo_enqueue,
	.dispatch	= (void *)bo_dispatch,
	.running	= (void *)bo_running,
	.stopping	= (void *)bo_stopping,
	.init_task	= (void *)bo_init_task,
	.enable		= (void *)bo_enable,
	.init		= (void *)bo_init,
	.exit		= (void *)bo_exit,
	.timeout_ms	= 5000,
	.name		= "build_order",
};
