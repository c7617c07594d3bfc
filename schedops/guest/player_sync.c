/* What tasks wait for. Who may go on, and in which order, is decided as in schedops/sim/engine/sync.c: first come,
 * first served, and what is given is handed over. Whoever is inside of a door does so little that a wait before it is
 * rare. */
#define _GNU_SOURCE
#include "player.h"

#include <linux/futex.h>
#include <stddef.h>

static struct actor *actor_at(uint32_t place)
{
	return &play->actor[place - 1];
}

static void enter(struct sync *s)
{
	uint32_t seen = 0;
	if (__atomic_compare_exchange_n(&s->door, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&s->door, 2, __ATOMIC_ACQUIRE))
		futex(&s->door, FUTEX_WAIT, 2, NULL);
}

static void leave(struct sync *s)
{
	if (__atomic_exchange_n(&s->door, 0, __ATOMIC_RELEASE) == 2)
		futex(&s->door, FUTEX_WAKE, 1, NULL);
}

/* Inside: at the end of the queue from now on. */
static void line_up(struct sync *s, unsigned id)
{
	struct actor *self = &play->actor[id];
	self->next = 0;
	self->go = 0;
	__atomic_add_fetch(&self->waits, 1, __ATOMIC_RELEASE);
	if (s->last)
		actor_at(s->last)->next = id + 1;
	else
		s->first = id + 1;
	s->last = id + 1;
}

/* 0: nobody waits. */
static uint32_t pop(struct sync *s)
{
	uint32_t place = s->first;
	if (place && !(s->first = actor_at(place)->next))
		s->last = 0;
	if (place)
		actor_at(place)->next = 0;
	return place;
}

/* Outside; the first of a list. Who goes on may be in another list at once. */
static void wake_all(uint32_t place)
{
	while (place) {
		struct actor *other = actor_at(place);
		place = other->next;
		other->woken_ns = now_ns();
		__atomic_store_n(&other->go, 1, __ATOMIC_RELEASE);
		futex(&other->go, FUTEX_WAKE, 1, NULL);
	}
}

static void wait_inside(struct sync *s, unsigned id)
{
	line_up(s, id);
	leave(s);
	actor_wait(&play->actor[id]);
}

void sem_take(struct sync *s, unsigned id, uint64_t tokens)
{
	enter(s);
	if (!s->first && s->count >= tokens) {
		s->count -= tokens;
		leave(s);
		return;
	}
	play->actor[id].wants = tokens;
	wait_inside(s, id);
}

void sem_give(struct sync *s, uint64_t tokens)
{
	uint32_t woken = 0, *end = &woken;
	enter(s);
	s->count += tokens;
	while (s->first && actor_at(s->first)->wants <= s->count) {
		s->count -= actor_at(s->first)->wants;
		*end = pop(s);
		end = &actor_at(*end)->next;
	}
	leave(s);
	wake_all(woken);
}

/* Of a lock that is not handed over, who is woken tries again. */
void lock_take(struct sync *s, unsigned id)
{
	for (;;) {
		enter(s);
		if (!s->holder) {
			s->holder = id + 1;
			leave(s);
			return;
		}
		wait_inside(s, id);
		if (!s->value)
			return;
	}
}

void lock_give(struct sync *s, unsigned id)
{
	uint32_t woken = 0;
	enter(s);
	bool held = s->holder == id + 1;
	if (held) {
		woken = pop(s);
		s->holder = s->value ? 0 : woken;
	}
	leave(s);
	if (held)
		wake_all(woken);
	else
		play_ends(NOT_THE_HOLDER, id);
}

void barrier_meet(struct sync *s, unsigned id)
{
	enter(s);
	if (++s->count < s->value) {
		wait_inside(s, id);
		return;
	}
	uint32_t woken = s->first;
	s->count = 0;
	s->first = s->last = 0;
	leave(s);
	wake_all(woken);
}

static void push(struct sync *s, uint64_t message)
{
	s->messages[(s->read + s->count++) % s->value] = message;
}

void queue_send(struct sync *s, unsigned id, uint64_t message)
{
	enter(s);
	if (s->count == s->value) {
		play->actor[id].wants = message;
		wait_inside(s, id);
		return;
	}
	uint32_t receiver = s->count ? 0 : pop(s);
	if (receiver)
		actor_at(receiver)->begin_ns = message;
	else
		push(s, message);
	leave(s);
	wake_all(receiver);
}

void queue_receive(struct sync *s, unsigned id)
{
	enter(s);
	if (!s->count) {
		wait_inside(s, id);
		return;
	}
	uint32_t sender = s->count == s->value ? pop(s) : 0;
	play->actor[id].begin_ns = s->messages[s->read++ % s->value];
	s->count--;
	if (sender)
		push(s, actor_at(sender)->wants);
	leave(s);
	wake_all(sender);
}

/* In line before the lock is given: a signal that comes between the two counts. */
void event_wait(struct sync *s, unsigned id, struct sync *lock)
{
	enter(s);
	line_up(s, id);
	leave(s);
	if (lock)
		lock_give(lock, id);
	actor_wait(&play->actor[id]);
	if (lock)
		lock_take(lock, id);
}

void event_signal(struct sync *s, bool one)
{
	uint32_t woken;
	enter(s);
	if (one) {
		woken = pop(s);
	} else {
		woken = s->first;
		s->first = s->last = 0;
	}
	leave(s);
	wake_all(woken);
}
