/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens next: a 4-ary heap of (time, order of setting). Every CPU and every task has one place in it at most,
 * so an event is moved rather than cancelled. Ids: CPUs, then tasks, then the watchdog, then the policy's timers.
 */
#include "engine.h"

#define ID_BITS 24
#define NOWHERE (~0U)
#define MAX_TIMERS 1024 /* shim/rt_timers.c */

struct event {
	u64 time;
	u64 key; /* order << ID_BITS | id: equal times in the order in which they were set */
};

static struct event *heap;
static u32 heap_size;
static u32 *places;
static u64 heap_order;
static u32 armed_timers; /* of a policy; they alone keep nothing going */

static void events_init(u32 ids)
{
	heap = alloc((u64)(ids + 1) * sizeof(*heap));
	places = alloc((u64)ids * sizeof(*places));
	for (u32 id = 0; id < ids; id++)
		places[id] = NOWHERE;
}

static inline int earlier(const struct event *a, const struct event *b)
{
	return a->time < b->time || (a->time == b->time && a->key < b->key);
}

static inline void heap_put(u32 place, struct event e)
{
	heap[place] = e;
	places[e.key & ((1U << ID_BITS) - 1)] = place;
}

static void sift_up(u32 place, struct event e)
{
	while (place) {
		u32 up = (place - 1) >> 2;

		if (!earlier(&e, &heap[up]))
			break;
		heap_put(place, heap[up]);
		place = up;
	}
	heap_put(place, e);
}

static void sift_down(u32 place, struct event e)
{
	for (;;) {
		u32 child = place * 4 + 1, end = child + 4 < heap_size ? child + 4 : heap_size;
		u32 best = child;

		if (child >= heap_size)
			break;
		for (u32 other = child + 1; other < end; other++)
			best = earlier(&heap[other], &heap[best]) ? other : best;
		if (!earlier(&heap[best], &e))
			break;
		heap_put(place, heap[best]);
		place = best;
	}
	heap_put(place, e);
}

/* The event of id happens at time; NEVER takes it back. An event that stays where it is keeps its order. */
static void at(u32 id, u64 time)
{
	u32 place = places[id];
	struct event e = { time, heap_order++ << ID_BITS | id };

	if (place == NOWHERE) {
		if (time != NEVER)
			sift_up(heap_size++, e);
		return;
	}
	if (time == heap[place].time)
		return;
	if (time == NEVER) {
		struct event last = heap[--heap_size];

		places[id] = NOWHERE;
		if (place == heap_size)
			return;
		if (place && earlier(&last, &heap[(place - 1) >> 2]))
			sift_up(place, last);
		else
			sift_down(place, last);
	} else if (time < heap[place].time) {
		sift_up(place, e);
	} else {
		sift_down(place, e);
	}
}

static inline u32 event_id(const struct event *e)
{
	return e->key & ((1U << ID_BITS) - 1);
}
