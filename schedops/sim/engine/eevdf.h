/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the kernel's default scheduler, of Linux 6.18 (kernel/sched/fair.c; features as in features.h: PLACE_LAG,
 * PLACE_DEADLINE_INITIAL, PLACE_REL_DEADLINE, RUN_TO_PARITY, DELAY_DEQUEUE, DELAY_ZERO, WAKEUP_PREEMPTION, WA_IDLE,
 * WA_WEIGHT, WA_BIAS, SIS_UTIL, NI_RANDOM; no NEXT_BUDDY, no HRTICK, no energy model, no NUMA balancing), with CONFIG_PREEMPT_LAZY,
 * as distributions build it and as x86 does by default since 7.0. Functions say which of the kernel's they stand for;
 * where that is not in fair.c of 6.18, they say so.
 *
 * Words: the kernel's sched_entity is an entity here, its cfs_rq a queue, its rq a run queue, its task_group a cgroup.
 */
#ifndef EEVDF_H
#define EEVDF_H

#include "engine.h"
#include "sched_class.h"

/* sysctl_sched_base_slice, ns; 750000 before commit 2ae891b82695 (6.15). Times 1 + ilog2(CPUs up to 8). */
#define FAIR_BASE_SLICE 700000ULL
#define FAIR_MIGRATION_COST 500000ULL /* sysctl_sched_migration_cost */
#define FAIR_NICE_0 (1024ULL << 10) /* NICE_0_LOAD: weights have 10 bits more than nice weights (scale_load) */
#define FAIR_MIN_SHARES 2ULL
#define FAIR_LEVELS 4
#define MSEC 1000000ULL

/* kernel/sched/pelt.c: a geometric average, half of it older than 32 ms. */
struct fair_avg {
	u64 last; /* accounted until */
	u64 load_sum, util_sum, runnable_sum; /* load_sum of an entity: without its weight */
	u32 part; /* us of the current ms */
	u32 load, util, runnable; /* the averages: runnable weight; running * capacity; 1024 * tasks runnable */
};

struct fair_queue;

struct fair_entity {
	u64 vruntime, deadline;
	u64 min_vruntime; /* in its subtree */
	u64 protected; /* vruntime until which it is not preempted while it is eligible (vprot) */
	s64 lag; /* virtual, when it left its queue (vlag) */
	u64 weight;
	struct fair_entity *left, *right; /* the tree of its queue, by deadline */
	struct fair_entity *parent; /* of its cgroup on this CPU */
	struct fair_queue *queue;
	struct fair_queue *mine; /* of a cgroup: what is in it; NULL: a task */
	u64 order; /* equal deadlines: first come first served */
	u64 left_at; /* when it was last put back into the tree */
	u32 heap; /* priority in the treap */
	u8 queued; /* on its queue: in the tree or current (on_rq) */
	u8 delayed; /* it sleeps, but stays until its lag is gone (sched_delayed) */
	u8 relative; /* the deadline is relative to vruntime (rel_deadline) */
};

struct fair_task { /* in task.cls */
	struct fair_entity e;
	struct fair_avg avg;
	struct task *list_prev, *list_next; /* of the CPU's tasks, the last one that ran first (cfs_tasks) */
	u64 exec_start; /* charged until, since it came to its CPU; 0: not yet */
	u64 flips_at;
	u32 last_wakee, flips;
	u32 estimate; /* of its utilisation, which sleeping does not wipe out (util_est) */
	s32 recent; /* CPU used before (recent_used_cpu) */
};

struct fair_queue {
	struct fair_entity *tree, *curr;
	s64 sum; /* of (vruntime - zero) * weight, of the tree */
	u64 sum_weight; /* of weight >> 10, of the tree */
	u64 zero;
	u64 load; /* weights of all that is queued */
	u32 nr; /* entities queued, with delayed ones */
	u32 cgroup;
	struct fair_avg avg;
	struct fair_avg own; /* of its owner: load only */
	u64 told, told_at; /* what the cgroup's sum knows of avg.load, since */
	struct fair_rq *rq;
	struct fair_entity *owner; /* the cgroup's entity, NULL: the root */
};

/* A scheduling group: what balancing at one level compares. */
struct fair_group {
	s32 *cpus;
	u32 nr, cores;
	u64 capacity, max_capacity;
	u8 smt; /* its CPUs are siblings */
};

/* A scheduling domain, shared by its CPUs. */
struct fair_domain {
	struct mask span;
	u32 weight, nr_groups;
	struct fair_group *groups;
	u32 pct; /* imbalance_pct */
	u8 smt, llc, numa, asym, spread; /* share a core, a cache; across nodes; capacities differ; SD_PREFER_SIBLING below */
	u8 patience; /* cache_nice_tries */
};

struct fair_level { /* of one CPU */
	struct fair_domain *domain;
	u32 local; /* its group */
	u32 failed; /* nr_balance_failed */
	u64 last, interval; /* ns */
	u32 tries, hits, ratio; /* newidle_call, newidle_success, newidle_ratio */
};

struct fair_rq {
	struct cpu *cpu;
	struct fair_queue *root;
	struct task *curr;
	struct task *list_first, *list_last;
	u32 nr; /* tasks that run or wait */
	u32 others; /* likewise, of sched_ext's class below */
	u32 nr_levels;
	struct fair_level levels[FAIR_LEVELS];
	u32 llc;
	u64 next_balance;
	u8 lazy; /* a newcomer is to go first when the current task enters the kernel next (TIF_NEED_RESCHED_LAZY) */
	u64 idle_since, avg_idle, blocked_at;
	u64 misfit; /* load of the current task when the CPU is too small for it */
	struct task *push; /* to be moved from here although it runs ... */
	s32 push_to; /* ... there (active balance) */
};

struct fair_llc {
	struct mask mask;
	u8 mixed; /* its CPUs differ in capacity */
	u32 nr, scan; /* CPUs; how many of them a wake-up looks at (nr_idle_scan) */
};

static struct fair_rq *fair_rqs;
static struct fair_queue *fair_queues; /* cgroup * CPUs + CPU */
static struct fair_entity *fair_owners; /* likewise; not of the root */
static u64 *fair_shares, *fair_loads; /* by cgroup: its weight; sum of the averages of its queues */
static struct fair_llc *fair_llcs;
static struct mask fair_idle, fair_idle_cores; /* CPUs that idle; those whose siblings idle, too */
static struct mask fair_overloaded; /* CPUs with two tasks or more (rd->overloaded) */
static u32 fair_misfits;
static u64 fair_slice; /* ns */
static u64 fair_order;
static u64 fair_random;
static u8 fair_asym; /* capacities differ */

static inline struct fair_task *fair_of(struct task *p) { return (struct fair_task *)p->cls; }
static inline struct task *fair_task(struct fair_entity *e)
{
	return (struct task *)((u8 *)e - __builtin_offsetof(struct task, cls));
}
static inline struct fair_queue *fair_queue_of(u32 cgroup, s32 cpu)
{
	return &fair_queues[(u64)cgroup * machine.nr_cpus + cpu];
}
static inline int fair_idle_cpu(s32 cpu) { return mask_test(&fair_idle, cpu); }

_Static_assert(__builtin_offsetof(struct fair_task, e) == 0, "fair_task()");
_Static_assert(sizeof(struct fair_task) <= sizeof(((struct task *)0)->cls), "room in struct task");

#endif
