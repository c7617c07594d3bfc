/* SPDX-License-Identifier: GPL-2.0-only */
/* How fast a CPU works: its capacity, what its SMT siblings leave it, and its frequency. */
#include "engine.h"

static void rearm(struct cpu *c);

static int sibling_busy(const struct cpu *c)
{
	for (const struct cpu *s = c->next_sibling; s != c; s = s->next_sibling) {
		if (s->curr)
			return 1;
	}
	return 0;
}

/* The current task's work must be charged until now before. */
static void set_speed(struct cpu *c)
{
	u64 speed = c->capacity;

	if (c->next_sibling != c && sibling_busy(c))
		speed = speed * machine.smt_capacity / FULL;
	speed = speed * c->frequency / FULL;
	c->speed = speed ? speed : 1;
}

/* A CPU has begun or ended to work: its siblings slow down or speed up. */
static void tell_siblings(struct cpu *c)
{
	for (struct cpu *s = c->next_sibling; s != c; s = s->next_sibling) {
		if (!s->curr)
			continue;
		settle(s);
		set_speed(s);
		rearm(s);
	}
}

/* Idle time lowers the frequency, a busy tick raises it. */
static void frequency_after_idle(struct cpu *c, u64 idle_ns)
{
	u64 lost;

	if (machine.freq_floor >= FULL)
		return;
	lost = idle_ns >= machine.decay_ns ? FULL : idle_ns * FULL / machine.decay_ns;
	c->frequency = c->frequency > machine.freq_floor + lost ? c->frequency - lost : machine.freq_floor;
}

static void frequency_after_tick(struct cpu *c)
{
	u64 gain;

	if (c->frequency >= FULL)
		return;
	gain = machine.ramp_ns ? machine.tick_ns * FULL / machine.ramp_ns : FULL;
	c->frequency = c->frequency + gain < FULL ? c->frequency + (gain ? gain : 1) : FULL;
	set_speed(c);
}

static u64 exit_latency(const struct cpu *c)
{
	u64 latency = 0;

	for (u32 i = 0; i < machine.nr_idle_states; i++) {
		if (clock_ns - c->tick_at >= machine.idle_after[i]) /* tick_at of an idle CPU: when it began to idle */
			latency = machine.idle_exit[i];
	}
	return latency;
}
