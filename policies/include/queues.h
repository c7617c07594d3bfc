/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fair queues side by side, each with a virtual time of its own, and how CPUs take from a queue that is not theirs. Which
 * CPU belongs to which queue is for the policy to say.
 */
#ifndef SCHEDOPS_QUEUES_H
#define SCHEDOPS_QUEUES_H

#include "fair.h"

#define QUEUE_DSQ(queue) ((u64)(queue) + 1)

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)
/* How far behind a task can be: a very niced one would wait for seconds for what one turn cost it. */
#define LAG_NS (50 * NSEC_PER_MSEC)

struct fair_queue {
	u64 now;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, struct fair_queue);
} queues SEC(".maps");

/* Not static: of a number that is only ever set to one value clang makes a flag, and its BTF no longer fits. */
u32 nr_queues;

struct queued_task {
	struct fair_task fair;
	u32 queue; /* of which its virtual time is */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct queued_task);
} tasks SEC(".maps");

static __always_inline struct queued_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline struct fair_queue *queue_at(u32 queue)
{
	return bpf_map_lookup_elem(&queues, &queue);
}

static s32 create_queues(u32 count)
{
	s32 err = 0;
	u32 i;

	bpf_for(i, 0, count) {
		err = scx_bpf_create_dsq(QUEUE_DSQ(i), -1);
		if (err)
			break;
	}
	nr_queues = count;
	return err;
}

/* The task goes to another queue: by as much as it was ahead or behind in the old one it is in the new one. */
static __always_inline void change_queue(struct queued_task *t, u32 queue)
{
	struct fair_queue *was = queue_at(t->queue), *is = queue_at(queue);

	if (was && is && was != is)
		t->fair.vtime += is->now - was->now;
	t->queue = queue;
}

static __always_inline u64 key_in(struct queued_task *t, u32 queue)
{
	struct fair_queue *q;

	change_queue(t, queue);
	q = queue_at(queue);
	if (!q)
		return t->fair.vtime;
	if (before(q->now + LAG_NS, t->fair.vtime))
		t->fair.vtime = q->now + LAG_NS;
	return fair_key_at(q->now, &t->fair, CREDIT_NS);
}

static __always_inline void join_queue(struct queued_task *t, u32 queue)
{
	struct fair_queue *q = queue_at(queue);

	t->queue = queue;
	fair_join_at(q ? q->now : 0, &t->fair);
}

static __always_inline void running_in(struct queued_task *t, u32 queue)
{
	struct fair_queue *q;

	change_queue(t, queue);
	q = queue_at(queue);
	if (q)
		fair_running_at(&q->now, &t->fair, CREDIT_NS);
}

/*
 * Take the first task of another queue, if that has more than `lead` tasks more than the own one. It is drawn: in turn, a
 * queue might come up only whenever a task that sleeps and wakes just waits here, too.
 */
static __always_inline bool take_from_longer(u32 own, u32 lead)
{
	u32 other = nr_queues ? bpf_get_prandom_u32() % nr_queues : own;

	return other != own && scx_bpf_dsq_nr_queued(QUEUE_DSQ(other)) > scx_bpf_dsq_nr_queued(QUEUE_DSQ(own)) + (s32)lead &&
	       scx_bpf_dsq_move_to_local(QUEUE_DSQ(other));
}

/* Take a task from any other queue, the own one being empty; the neighbours first. */
static __always_inline bool steal(u32 own)
{
	u32 i, count = nr_queues;
	bool taken = false;

	bpf_for(i, 1, count) {
		taken = scx_bpf_dsq_move_to_local(QUEUE_DSQ((own + i) % count));
		if (taken)
			break;
	}
	return taken;
}

/* May the task that used up its slice go on? It is charged either way. */
static __always_inline bool goes_on_in(struct task_struct *prev, u32 queue, s32 cpu)
{
	struct queued_task *t = task_of(prev);

	if (!t)
		return false;
	fair_charge(prev, &t->fair);
	if (!leads(QUEUE_DSQ(queue), t->fair.vtime, cpu))
		return false;
	running_in(t, queue);
	return true;
}

#endif /* SCHEDOPS_QUEUES_H */
