"""The C of the rules that tell groups of tasks apart by their cgroup."""

from __future__ import annotations

GROUP_DEFINES = """\
/* Groups that are told apart while active at the same time; beyond that two may share a slot, and then a rank. */
#define SLOTS 64
/* A group whose tasks all sleep for longer than this holds up nobody's rank. */
#define ASLEEP_NS (100 * NSEC_PER_MSEC)
/* Ranks change when groups come and go, which is slow. */
#define RANK_FRESH_NS (5 * NSEC_PER_MSEC)
"""
GROUP_STATE = """\
/* The order of arrival is the policy's own: a cgroup gets its number when one of its tasks is first seen runnable. */
struct made_group {
	u64 arrival;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct made_group);
} groups SEC(".maps");

static u64 arrivals;

/* Active groups, at arrival number modulo SLOTS. */
struct made_slot {
	u64 arrival;
	u64 runnable; /* tasks */
	u64 seen_ns;
	u64 rank;
	u64 ranked_ns;
${fields}};

static struct made_slot slots[SLOTS];
"""
SLOT_HINTS = """\
	u64 expected_ns; /* CPU time of the whole group: the largest hint of any of its tasks; 0: nobody knows */
	u64 used_ns;
"""
GROUP_OF = """\
static __always_inline struct made_slot *slot_of(u64 arrival)
{
	return &slots[arrival % SLOTS];
}

/* The group of a task: its ancestor cgroup at group_level, by arrival number; 0: it is in none. */
static u64 group_of(struct task_struct *p)
{
	struct cgroup *cgrp = p->cgroups->dfl_cgrp;
	struct cgroup *top;
	struct made_group *g;
	u64 number = 0;

	if (cgrp->level < group_level)
		return 0;
	top = bpf_cgroup_ancestor(cgrp, group_level);
	if (!top)
		return 0;
	g = bpf_cgrp_storage_get(&groups, top, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (g) {
		/* Two CPUs may see the first tasks at once: one number is lost, none is given twice. */
		if (!g->arrival)
			__sync_val_compare_and_swap(&g->arrival, 0, __sync_fetch_and_add(&arrivals, 1) + 1);
		number = g->arrival;
	}
	bpf_cgroup_release(top);
	return number;
}

static __always_inline bool active(struct made_slot *s, u64 now)
{
	return s->runnable || before(now, s->seen_ns + ASLEEP_NS);
}

static __always_inline void count_in(struct made_task *t, u64 now)
{
	struct made_slot *s = slot_of(t->group);

	if (!active(s, now)) {
${anew}		s->arrival = t->group;
		s->ranked_ns = 0;
	}
	s->seen_ns = now;
	__sync_fetch_and_add(&s->runnable, 1);
	t->counted = t->group;
}

static __always_inline void count_out(struct made_task *t, u64 now)
{
	struct made_slot *s = slot_of(t->counted);

	__sync_fetch_and_sub(&s->runnable, 1);
	s->seen_ns = now;
	t->counted = 0;
}

/* A task is runnable in the group it belongs to now: it may have been moved to another cgroup meanwhile. */
static __always_inline void settle(struct task_struct *p, struct made_task *t, u64 now)
{
	t->group = group_of(p);
	if (t->counted != t->group) {
		if (t->counted)
			count_out(t, now);
		if (t->group)
			count_in(t, now);
	}
${learn}}
"""
ANEW = """\
		if (s->arrival != t->group)
			s->expected_ns = s->used_ns = 0;
"""
LEARN_GROUP = """\
	/* The hint of a group's first process covers the whole group, so it is the largest. */
	if (t->group && slot_of(t->group)->expected_ns < hint_ns(p))
		slot_of(t->group)->expected_ns = hint_ns(p);
"""
BY_ARRIVAL = """\
/* Is s served before own? */
static __always_inline bool goes_before(struct made_slot *s, struct made_slot *own)
{
	return s->arrival < own->arrival;
}
"""
BY_REMAINING = """\
static __always_inline u64 remaining_ns(struct made_slot *s)
{
	return s->expected_ns > s->used_ns ? s->expected_ns - s->used_ns : 0;
}

/* Is s served before own? Never both ways round, or two groups would wait for each other. */
static __always_inline bool goes_before(struct made_slot *s, struct made_slot *own)
{
	u64 left = remaining_ns(s), own_left = remaining_ns(own);

	return left == own_left ? s->arrival < own->arrival : left < own_left;
}
"""
RANK = """\
static u64 rank_of(u64 arrival, u64 now)
{
	struct made_slot *own = slot_of(arrival);
	u64 rank = 0;
	u32 i;

	if (before(now, own->ranked_ns + RANK_FRESH_NS))
		return own->rank;
	bpf_for(i, 0, SLOTS) {
		struct made_slot *s = &slots[i & (SLOTS - 1)];

		if (s != own && s->arrival && goes_before(s, own) && active(s, now))
			rank++;
	}
	own->rank = rank;
	own->ranked_ns = now;
	return rank;
}
"""
GROUP_KEY = """\
/* When a job is due: later by the groups before its own, in bounded steps, so that the last one gets turns as well. */
static u64 job_key(struct task_struct *p, struct made_task *t, u64 now)
{
	u64 rank = rank_of(t->group, now);
	u64 key = now + max_wait_ms * NSEC_PER_MSEC * rank / (rank + 1);
${inside}	return key;
}
"""
