/* SPDX-License-Identifier: GPL-2.0-only */
/* What tasks wait for: semaphores, locks, barriers, queues, events. model/simulation.py says what each does. */
#include "engine.h"
#include "sched_class.h"

enum sync_kind { S_SEMAPHORE, S_LOCK, S_BARRIER, S_QUEUE, S_EVENT };

struct sync {
	u32 kind;
	u64 value; /* see SyncKind */
	u64 count; /* tokens, tasks at the barrier, messages */
	struct task *holder; /* of a lock */
	struct task *first, *last; /* who waits; of a full queue the senders, of an empty one the receivers */
	u64 *messages; /* ring of value entries */
	u64 read;
};

static struct sync *syncs;
static u32 nr_syncs;

static void wait_on(struct sync *s, struct cpu *c, struct task *p)
{
	p->waits_next = NULL;
	if (s->last)
		s->last->waits_next = p;
	else
		s->first = p;
	s->last = p;
	block(c, p, DEQUEUE_SLEEP);
}

static struct task *wait_pop(struct sync *s)
{
	struct task *p = s->first;

	if (p && !(s->first = p->waits_next))
		s->last = NULL;
	return p;
}

static void wake_from(struct task *p, struct task *waker, u32 flags)
{
	wake(p, waker->id + 1, WF_TTWU | flags);
}

/* All of these return 1 when the task goes on and 0 when it blocks. */
static int sem_wait(struct sync *s, struct cpu *c, struct task *p, u64 tokens)
{
	if (!s->first && s->count >= tokens) {
		s->count -= tokens;
		return 1;
	}
	p->wants = tokens;
	wait_on(s, c, p);
	return 0;
}

static void sem_post(struct sync *s, struct task *by, u64 tokens)
{
	s->count += tokens;
	while (s->first && s->first->wants <= s->count) {
		struct task *p = wait_pop(s);

		s->count -= p->wants;
		wake_from(p, by, 0);
	}
}

static int lock(struct sync *s, struct cpu *c, struct task *p)
{
	if (!s->holder) {
		s->holder = p;
		return 1;
	}
	if (s->value)
		p->pc--; /* woken, it tries again */
	wait_on(s, c, p);
	return 0;
}

static void unlock(struct sync *s, struct task *by)
{
	struct task *p;

	if (s->holder != by) {
		stop(V_PLAN_ERROR, 0, "%s[%d] releases a lock that it does not hold", by->comm, by->pid);
		return;
	}
	p = wait_pop(s);
	s->holder = s->value ? NULL : p;
	if (p)
		wake_from(p, by, 0);
}

static int barrier(struct sync *s, struct cpu *c, struct task *p)
{
	struct task *other;

	if (++s->count < s->value) {
		wait_on(s, c, p);
		return 0;
	}
	s->count = 0;
	while ((other = wait_pop(s)))
		wake_from(other, p, 0);
	return 1;
}

static void push_message(struct sync *s, u64 message)
{
	s->messages[(s->read + s->count++) % s->value] = message;
}

/* A writer to a pipe says that it will sleep soon (fs/pipe.c: wake_up_interruptible_sync_poll). */
static int send(struct sync *s, struct cpu *c, struct task *p, u64 message)
{
	struct task *receiver;

	if (s->count == s->value) {
		p->wants = message;
		wait_on(s, c, p);
		return 0;
	}
	receiver = s->count ? NULL : wait_pop(s);
	if (!receiver) {
		push_message(s, message);
		return 1;
	}
	receiver->begin_ns = message;
	wake_from(receiver, p, WF_SYNC);
	return 1;
}

static int receive(struct sync *s, struct cpu *c, struct task *p)
{
	struct task *sender;

	if (!s->count) {
		wait_on(s, c, p);
		return 0;
	}
	sender = s->count == s->value ? wait_pop(s) : NULL;
	p->begin_ns = s->messages[s->read % s->value];
	s->read++;
	s->count--;
	if (sender) {
		push_message(s, sender->wants);
		wake_from(sender, p, WF_SYNC);
	}
	return 1;
}

static int suspend(struct sync *s, struct cpu *c, struct task *p, u32 mutex)
{
	p->relock = mutex;
	if (mutex)
		unlock(&syncs[mutex - 1], p);
	wait_on(s, c, p);
	return 0;
}

static void signal(struct sync *s, struct task *by, int one)
{
	struct task *p, *last = s->last;

	/* Who suspends again at once waits for the next signal. */
	while ((p = wait_pop(s))) {
		wake_from(p, by, 0);
		if (one || p == last)
			return;
	}
}
