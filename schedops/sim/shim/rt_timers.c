/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF timers: the engine keeps the time, the callback is called here. */

#define MAX_TIMERS 1024 /* engine/scx_timers.c */

void IMPORT(timer)(u32 place, u64 ns, u32 absolute); /* ns ~0: off */

static struct timer {
	struct bpf_timer *timer;
	void *map;
	int (*callback)(void *map, void *key, void *value);
	u8 armed;
} timers[MAX_TIMERS];
static u32 nr_timers;

static struct timer *timer_of(struct bpf_timer *timer)
{
	return timer->place && timer->place <= nr_timers ? &timers[timer->place - 1] : NULL;
}

long bpf_timer_init(struct bpf_timer *timer, void *map, u64 flags)
{
	if (timer_of(timer))
		return -16; /* EBUSY */
	if (nr_timers == MAX_TIMERS)
		return -12; /* ENOMEM */
	timers[nr_timers] = (struct timer){ timer, map };
	timer->place = ++nr_timers;
	return 0;
}

long bpf_timer_set_callback(struct bpf_timer *timer, void *callback)
{
	struct timer *t = timer_of(timer);

	if (!t)
		return -EINVAL;
	t->callback = callback;
	return 0;
}

long bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags)
{
	struct timer *t = timer_of(timer);

	if (!t || !t->callback)
		return -EINVAL;
	t->armed = 1;
	__kf_timer(timer->place - 1, ns, flags & BPF_F_TIMER_ABS);
	return 0;
}

long bpf_timer_cancel(struct bpf_timer *timer)
{
	struct timer *t = timer_of(timer);
	u8 armed;

	if (!t)
		return -EINVAL;
	armed = t->armed;
	t->armed = 0;
	__kf_timer(timer->place - 1, ~0ULL, 0);
	return armed;
}

/* bpf_timer_cancel_and_free() */
static void timer_free(struct bpf_timer *timer)
{
	bpf_timer_cancel(timer);
	timer->place = 0;
}

/* The time has come. The value is that of the map which holds the timer, the key that of an array. */
void EXPORT(rt_timer)(u32 place)
{
	struct timer *t = &timers[place];
	struct map *m = map_of(t->map);
	u64 index = ((u64)t->timer - (u64)m->values) / (m->stride ? m->stride : 1);
	u32 key = index;

	t->armed = 0;
	t->callback(t->map, &key, m->values + index * m->stride);
}
