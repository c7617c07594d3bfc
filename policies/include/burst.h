/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a task usually runs between two sleeps, by watching it: an exponentially weighted mean of its bursts. What a
 * task did last is the best guess at what it will do next that nobody has to be asked for.
 */
#ifndef SCHEDOPS_BURST_H
#define SCHEDOPS_BURST_H

#include "schedops.h"

/* How quickly the mean follows: the last burst counts one part in 2^BURST_SHIFT. */
#define BURST_SHIFT 2

struct burst {
	u64 mean_ns; /* 0: it has not slept yet */
	u64 used_ns; /* CPU time since it last woke up */
};

/* For ops.quiescent(), which also hears of changes of a task that goes on. */
static __always_inline void burst_ends(struct burst *b, u64 deq_flags)
{
	if (!(deq_flags & SCX_DEQ_SLEEP))
		return;
	b->mean_ns += (b->used_ns >> BURST_SHIFT) - (b->mean_ns >> BURST_SHIFT);
	b->used_ns = 0;
}

/* CPU time that is still to come before it sleeps. Who has run for longer than usual will go on for as long again. */
static __always_inline u64 burst_left_ns(struct burst *b)
{
	return b->mean_ns > b->used_ns ? b->mean_ns - b->used_ns : b->used_ns;
}

#endif /* SCHEDOPS_BURST_H */
