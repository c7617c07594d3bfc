/* SPDX-License-Identifier: GPL-2.0-only */
/* What counts: who waits, who idles meanwhile, how long things took, and the stream of what happened. */
#include "engine.h"

#define BUCKETS 976 /* model/simulation.py: bucket_bounds() */
enum histogram { H_WAKEUP, H_REQUEST, NR_HISTOGRAMS };

struct record { /* model/simulation.py: TRACE_RECORD */
	u64 time, argument;
	u32 task;
	u16 cpu, kind;
};

static u64 (*histograms)[NR_HISTOGRAMS][BUCKETS];
static struct record *records;
static u64 nr_records, max_records;
static struct {
	u64 decisions, wakeups, ticks, completions;
} counts;

/* Tasks waiting that may run anywhere, and for how long there was one until the last change. */
static u32 waiting_anywhere, waiting;
static u64 waste_total, waste_since;

static u32 bucket_of(u64 value)
{
	u32 high = 63 - __builtin_clzll(value | 1);

	return high < 4 ? value : (high - 3) * 16 + (value >> (high - 4) & 15);
}

static void count_time(u32 label, enum histogram which, u64 ns)
{
	histograms[label][which][bucket_of(ns)]++;
}

void trace(u32 kind, s32 cpu, u32 task, u64 argument)
{
	if (likely(!max_records) || nr_records == max_records)
		return;
	records[nr_records++] = (struct record){ clock_ns, argument, task, cpu, kind };
}

static u64 waste_now(void)
{
	return waste_total + (waiting_anywhere ? clock_ns - waste_since : 0);
}

/* Book the idle time of a CPU since it was last booked. */
static void book_idle(struct cpu *c)
{
	u64 wasted = waste_now();

	if (!c->offline)
		c->idle_waste_ns += c->bound_waiting ? clock_ns - c->idle_since : wasted - c->waste_mark;
	c->idle_ns += clock_ns - c->idle_since;
	c->idle_since = clock_ns;
	c->waste_mark = wasted;
}

/* A task that may not run everywhere begins (by 1) or ends (by -1) to wait. */
static void bound_waits(const struct task *p, s32 by)
{
	for (u32 w = 0; w < MASK_WORDS; w++) {
		for (u64 left = p->allowed->w[w]; left; left &= left - 1) {
			struct cpu *c = &cpus[w * 64 + __builtin_ctzll(left)];

			if (!c->curr)
				book_idle(c);
			c->bound_waiting += by;
		}
	}
}

/* Idle CPUs that it may use waste their time from now on (by 1), or no longer because of it (by -1). */
static void count_waiting(const struct task *p, s32 by)
{
	if (p->nr_allowed < machine.nr_cpus)
		bound_waits(p, by);
	else if (by > 0 && !waiting_anywhere++)
		waste_since = clock_ns;
	else if (by < 0 && !--waiting_anywhere)
		waste_total += clock_ns - waste_since;
}

static void wait_begins(struct task *p)
{
	waiting++;
	p->since = clock_ns;
	count_waiting(p, 1);
}

static void wait_ends(struct task *p)
{
	u64 waited = clock_ns - p->since;

	waiting--;
	p->wait_ns += waited;
	if (waited > p->max_wait)
		p->max_wait = waited;
	count_waiting(p, -1);
}
